import Foundation
import Glibc
import Synchronization

/// One of the package's programs, started as a process of its own.
///
/// Its output goes to files: the end of a pipe would only be seen when every process that another
/// test started at the same moment has closed its copy too.
final class SampleProgram: Sendable {
  let id: pid_t
  private let files: URL
  private let end = Mutex<Int32?>(nil)

  /// The build folder: the tests run from a file in it.
  static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  enum StartError: Error {
    case spawn(String, Int32)
  }

  /// Starts a program without any of this process's `WICK` or `BLOG` settings.
  init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    files = FileManager.default.temporaryDirectory.appending(path: "sample-\(UUID())")
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    let path = Self.folder.appending(path: name).path
    let settings = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("WICK") && !$0.key.hasPrefix("BLOG_") }
      .merging(environment) { $1 }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let create = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, files.appending(path: "out").path, create, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, files.appending(path: "err").path, create, 0o600)
    var id: pid_t = 0
    let code = Self.withPointers([path] + arguments) { arguments in
      Self.withPointers(settings.map { "\($0)=\($1)" }) { settings in
        posix_spawn(&id, path, &actions, nil, arguments, settings)
      }
    }
    self.id = id
    guard code == 0 else { throw StartError.spawn(path, code) }
  }

  deinit {
    if end.withLock({ $0 == nil }) {
      kill(id, SIGKILL)
      _ = exitCode()
    }
    try? FileManager.default.removeItem(at: files)
  }

  func send(_ signal: Int32) {
    kill(id, signal)
  }

  /// Waits until standard error has a line with the text; nothing if the program ends before.
  func waitForLine(containing text: String) -> String? {
    while true {
      let hasEnded = hasEnded
      let lines = contents("err").split(
        separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      // What follows the last line break may be the beginning of a line.
      for line in lines.dropLast().map({ String(decoding: $0, as: UTF8.self) })
      where line.contains(text) {
        return line
      }
      guard !hasEnded else { return nil }
      usleep(10_000)
    }
  }

  /// What the program printed until its end.
  func outputToEnd() -> Data {
    _ = exitCode()
    return contents("out")
  }

  /// Waits for the end; the exit code, or 128 + n after signal n.
  func exitCode() -> Int32 {
    while true {
      if hasEnded, let code = end.withLock({ $0 }) {
        return code
      }
      usleep(10_000)
    }
  }

  private var hasEnded: Bool {
    end.withLock { end in
      var status: Int32 = 0
      if end == nil, waitpid(id, &status, WNOHANG) == id {
        let signal = status & 0x7f
        end = signal == 0 ? (status >> 8) & 0xff : 128 + signal
      }
      return end != nil
    }
  }

  private func contents(_ name: String) -> Data {
    (try? Data(contentsOf: files.appending(path: name))) ?? Data()
  }

  private static func withPointers<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
  }
}
