import Foundation
import Glibc
import Testing

/// Runs the built `wick`, as a user would.
enum Command {
  static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()
  static let wick = products.appending(path: "wick").path
  static let probe = products.appending(path: "WickAgentProbe").path

  /// How a run ended.
  ///
  /// The streams are files, so neither can fill up.
  struct Outcome {
    var exitCode: Int32
    var isSignaled: Bool
    var output: String
    var errors: String

    /// Lines on standard error that say what went wrong.
    var complaints: [Substring] {
      errors.split(separator: "\n").filter { $0.hasPrefix("wick: ") }
    }
  }

  /// Runs `wick` in a folder.
  static func run(_ arguments: String..., folder: URL, input: Data? = nil) throws -> Outcome {
    try run(wick, arguments, folder: folder, input: input)
  }

  static func run(
    _ program: String, _ arguments: [String], folder: URL, input: Data? = nil
  ) throws -> Outcome {
    let (process, finish) = try start(program, arguments, folder: folder, input: input)
    process.waitUntilExit()
    return try finish()
  }

  /// Starts a program; the second result reads what it wrote, after its end.
  static func start(
    _ program: String, _ arguments: [String], folder: URL, input: Data? = nil
  ) throws -> (Process, () throws -> Outcome) {
    let streams = FileManager.default.temporaryDirectory
      .appending(path: "wick-streams-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
    let files = ["in", "out", "err"].map { streams.appending(path: $0) }
    try (input ?? Data()).write(to: files[0])
    for file in files.dropFirst() { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    // Threads of a test's pool block signals; a shell does not.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    return (
      process,
      {
        defer { try? FileManager.default.removeItem(at: streams) }
        return Outcome(
          exitCode: process.terminationStatus,
          isSignaled: process.terminationReason == .uncaughtSignal,
          output: try String(contentsOf: files[1], encoding: .utf8),
          errors: try String(contentsOf: files[2], encoding: .utf8))
      }
    )
  }

  /// Gives a new folder, removed afterwards; its name has what needs escaping.
  static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "wick 50%, é \(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  static func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }
}
