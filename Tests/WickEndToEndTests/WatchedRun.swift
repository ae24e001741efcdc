import Foundation
import Glibc
import WickProfile

extension Host {
  /// A program that did not end in time; it was killed.
  struct Hang: Error, CustomStringConvertible {
    var command: String
    /// Where its threads stood, if gdb is there to tell.
    var stacks: String

    var description: String { "\(command) hangs\n\(stacks)" }
  }

  /// Runs a program that may hang, and whose children may.
  ///
  /// - Parameters:
  ///   - program: A product or, with a slash in its name, a program.
  ///   - arguments: Its arguments.
  ///   - environment: Added to this process's.
  ///   - seconds: A multiple of what it needs: more is a hang.
  /// - Returns: How it ended.
  /// - Throws: `Hang`.
  @discardableResult
  static func runWatched(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    seconds: Double = 100
  ) throws -> Outcome {
    try withFolder { folder in
      let files = ["output", "errors"].map { folder.appending(path: $0) }
      for file in files { try Data().write(to: file) }
      let process = Process()
      process.executableURL =
        program.contains("/") ? URL(fileURLWithPath: program) : products.appending(path: program)
      process.arguments = arguments
      // Crashes here are wanted, and their reports are not unless a test asks for one.
      process.environment = ProcessInfo.processInfo.environment
        .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
      // Files, not pipes: a child that hangs would keep a pipe open.
      process.standardOutput = try FileHandle(forWritingTo: files[0])
      process.standardError = try FileHandle(forWritingTo: files[1])
      process.standardInput = FileHandle.nullDevice
      let ended = DispatchSemaphore(value: 0)
      process.terminationHandler = { _ in ended.signal() }
      try process.run()
      if ended.wait(timeout: .now() + seconds) == .timedOut {
        let pid = process.processIdentifier
        let stacks = try? run(
          "WickAgentProbe",
          [
            "unblocked", "/usr/bin/gdb", "--batch", "-p", "\(pid)", "-ex",
            "thread apply all backtrace 16",
          ])
        kill(pid, SIGKILL)
        ended.wait()
        throw Hang(
          command: ([program] + arguments).joined(separator: " "),
          stacks: stacks.map { String(decoding: $0.output, as: UTF8.self) } ?? "")
      }
      process.waitUntilExit()
      return Outcome(
        exitCode: process.terminationStatus,
        isSignaled: process.terminationReason == .uncaughtSignal,
        output: try Data(contentsOf: files[0]),
        errors: try String(contentsOf: files[1], encoding: .utf8))
    }
  }

  /// Runs the probe, watched, in a mode under the agent and reads what was recorded.
  static func watchedProbe(
    _ mode: [String], options: String, environment: [String: String] = [:], seconds: Double = 100
  ) throws -> (outcome: Outcome, profile: Profile) {
    try withFolder { folder in
      let outcome = try runWatched(
        "WickAgentProbe", mode,
        environment: preloading(folder.appending(path: "%p.wick"), options)
          .merging(environment) { $1 },
        seconds: seconds)
      // The probe's own is the oldest: its children's come later.
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
      let first = try files.map { try read($0) }.min {
        $0.origin.startRealtimeNanoseconds < $1.origin.startRealtimeNanoseconds
      }
      guard let first else { throw CocoaError(.fileNoSuchFile) }
      return (outcome, first)
    }
  }
}

extension Host.Outcome {
  /// How it ended, and what it said: compared between runs and shown by failures.
  var text: String {
    let end = isSignaled ? "signal \(exitCode)" : "exit code \(exitCode)"
    return "\(end) \(String(decoding: output, as: UTF8.self))\(errors)"
  }
}
