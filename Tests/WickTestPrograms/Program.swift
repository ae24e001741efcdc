package import Foundation
import Glibc

/// A program that a test starts, in a process group of its own, all of which is killed in the end.
///
/// What it writes goes to a file: the end of a pipe would only be seen when nobody else has it open.
package final class Program {
  package let pid: pid_t
  /// What its standard input is fed from; -1 once closed.
  private var input: Int32
  private let outputPath: String
  private var status: Int32?

  /// The folder of the built products.
  package static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  package enum Failure: Error {
    case cannotStart(String, Int32)
    case silent(String)
  }

  /// Starts a product, or with a slash in its name a program.
  package init(_ name: String, _ arguments: [String], folder: URL) throws {
    let path = name.contains("/") ? name : Self.products.appending(path: name).path
    outputPath = folder.appending(path: "output-\(UUID().uuidString)").path
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure.cannotStart(path, errno) }
    input = ends[1]
    Self.keepDescriptors()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    let settings = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("WICK") }
    var pid: pid_t = 0
    let words = ["/usr/bin/env", "-C", folder.path, path] + arguments
    let code = Self.withPointers(words) { arguments in
      Self.withPointers(settings.map { "\($0)=\($1)" }) { settings in
        posix_spawn(&pid, words[0], &actions, &attributes, arguments, settings)
      }
    }
    close(ends[0])
    self.pid = pid
    guard code == 0 else {
      status = 0
      close(input)
      throw Failure.cannotStart(path, code)
    }
  }

  deinit {
    closeInput()
    if !hasEnded {
      kill(-pid, SIGKILL)
      kill(pid, SIGKILL)
      _ = exitCode()
    }
    kill(-pid, SIGKILL)
    unlink(outputPath)
  }

  /// Runs a program to its end.
  package static func run(
    _ name: String, _ arguments: [String], folder: URL
  ) throws -> (exitCode: Int32, output: String) {
    let program = try Program(name, arguments, folder: folder)
    program.closeInput()
    return (program.exitCode(), program.output)
  }

  /// What it wrote by now, to both streams.
  package var output: String {
    String(decoding: (try? Data(contentsOf: URL(filePath: outputPath))) ?? Data(), as: UTF8.self)
  }

  /// The address that it says it serves.
  package var address: String? {
    let text = output
    return text.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+/).map { String($0.output) }
  }

  package var hasEnded: Bool {
    var seen: Int32 = 0
    if status == nil, waitpid(pid, &seen, WNOHANG) == pid {
      let signal = seen & 0x7f
      status = signal == 0 ? seen >> 8 & 0xff : 128 + signal
    }
    return status != nil
  }

  /// Waits for the end and gives the exit code, or 128 + n after signal n; -1 if it goes on.
  package func exitCode(seconds: Double = 60) -> Int32 {
    Wait.until(seconds: seconds) { hasEnded }
    return status ?? -1
  }

  package func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  package func say(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
  }

  /// Waits until it has written a text.
  package func waitFor(_ text: String) throws {
    guard Wait.until(seconds: 20, { hasEnded || output.contains(text) }), output.contains(text)
    else { throw Failure.silent("no '\(text)' in: \(output)") }
  }

  /// What this process has open is no concern of a target, whose descriptors are counted.
  private static func keepDescriptors() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for number in names.compactMap({ Int32($0) }) where number > 2 {
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }
  }

  private static func withPointers<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
  }
}

/// Waiting for what comes about elsewhere.
package enum Wait {
  /// Looks every few milliseconds; false if it has not come about in time.
  @discardableResult
  package static func until(seconds: Double, _ isTrue: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now.advanced(by: .seconds(seconds))
    while true {
      if try isTrue() { return true }
      guard ContinuousClock.now < end else { return false }
      usleep(3000)
    }
  }
}
