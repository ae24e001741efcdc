import Foundation
import Testing

/// A program of `Tests/Fixtures/Dump` that runs while it is dumped.
struct DumpedProgram {
  /// What `wick dump --json` says of a thread.
  struct Thread: Decodable {
    struct Frame: Decodable {
      var function: String
      var file: String?
      var line: Int?
      var module: String?
      var address: String?
      var isInlined: Bool
    }

    var tid: Int32
    var name: String
    var state: String
    var systemCall: String?
    var waitChannel: String?
    var pauseNanoseconds: Int
    var truncation: String?
    var frames: [Frame]

    /// Functions that have frames of their own, innermost first.
    var functions: [String] { frames.filter { !$0.isInlined }.map(\.function) }
  }

  /// What `wick dump --json` says.
  struct Dump: Decodable {
    struct Process: Decodable {
      var pid: Int32
      var name: String
      var hasEnded: Bool
    }

    var version: Int
    var process: Process
    var warnings: [String]
    var threads: [Thread]
  }

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Dump")

  /// How programs are built whose callers are found by the frame pointer, and others.
  static let withFramePointers = ["-O0", "-fno-omit-frame-pointer"]
  static let optimized = ["-O2", "-fomit-frame-pointer"]

  let process: Process
  let folder: URL
  private let output: URL

  var pid: Int32 { process.processIdentifier }

  /// Builds a fixture.
  static func build(_ name: String, _ flags: [String], in folder: URL) throws -> String {
    let path = folder.appending(path: name).path
    let built = try Command.run(
      "/usr/bin/gcc",
      ["-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"] + flags
        + [sources.appending(path: "\(name).c").path, "-o", path],
      folder: folder)
    try #require(built.exitCode == 0, "\(built.errors)")
    return path
  }

  /// Runs a program until `body` ends, which begins once the program has said "ready".
  static func run<T>(
    _ program: String, _ arguments: [String] = [], in folder: URL,
    _ body: (DumpedProgram) throws -> T
  ) throws -> T {
    let output = folder.appending(path: "output-\(UUID().uuidString)")
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    // Threads of a test's pool block signals; a shell does not.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    let dumped = DumpedProgram(process: process, folder: folder, output: output)
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    try dumped.wait { dumped.text.contains("ready") }
    return try body(dumped)
  }

  /// What it has written.
  var text: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  /// Waits until something holds, which it soon does.
  func wait(_ condition: () throws -> Bool) throws {
    for _ in 0..<3000 {
      if try condition() { return }
      usleep(10_000)
    }
    Issue.record("what was waited for did not come about")
  }

  /// Has it end as it would by itself; returns what it wrote after "ready".
  func finish() throws -> [Substring] {
    kill(pid, SIGTERM)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    return Array(text.split(separator: "\n").drop { $0 != "ready" }.dropFirst())
  }

  /// Dumps it as text.
  func dumpText(_ options: String...) throws -> String {
    let outcome = try Command.run(Command.wick, ["dump", "\(pid)"] + options, folder: folder)
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    return outcome.output
  }

  /// Dumps it.
  func dump(_ options: String...) throws -> Dump {
    let outcome = try Command.run(
      Command.wick, ["dump", "--json", "\(pid)"] + options, folder: folder)
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    return try JSONDecoder().decode(Dump.self, from: Data(outcome.output.utf8))
  }

  /// The letter of `/proc/PID/stat`.
  var state: Character? {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    return text.split(separator: ")").last?.first { $0 != " " }
  }
}
