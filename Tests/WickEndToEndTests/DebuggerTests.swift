import Foundation
import Glibc
import Testing
import WickProfile

/// The debugger that the tests use.
private enum Debugger {
  static let path = "/usr/bin/gdb"
  static let isThere = FileManager.default.isExecutableFile(atPath: path)

  /// Runs gdb with the signals that it lives by, which this process may block.
  static func run(_ arguments: [String]) throws -> Host.Outcome {
    try Host.runWatched("WickAgentProbe", ["unblocked", path] + arguments, seconds: 60)
  }
}

/// A debugger works on a sampled program as on any other.
@Suite(.serialized, .enabled(if: Debugger.isThere)) struct DebuggerTests {

  /// Runs the probe under gdb with these commands; the agent is in the probe, not in gdb.
  private func debug(_ mode: [String], _ commands: [String], environment: [String: String]) throws
    -> String
  {
    var arguments = ["--batch", "-nx"]
    let settings =
      [
        "set confirm off", "set pagination off", "set debuginfod enabled off",
        "set startup-with-shell off",
      ]
      + environment.map { "set environment \($0) \($1)" } + commands
    for command in settings { arguments += ["-ex", command] }
    arguments += ["--args", Host.products.appending(path: "WickAgentProbe").path] + mode
    let outcome = try Debugger.run(arguments)
    return String(decoding: outcome.output, as: UTF8.self) + outcome.errors
  }

  /// What a session says of breakpoints, steps and the end.
  private func facts(in session: String) -> [String] {
    session.split(separator: "\n").compactMap { line in
      if line.contains("already hit") || line.contains("[Inferior 1") || line.hasPrefix("$") {
        // Process ids differ from run to run.
        return String(line.replacing(/process [0-9]+/, with: "process"))
      }
      return line.firstMatch(of: /Breakpoint [0-9]+, .*/).map { String($0.output) }
    }
  }

  @Test(arguments: Permission.engines) func breakpointsAndStepsWork(engine: String) throws {
    let commands = [
      "handle SIGPROF nostop noprint pass", "break recurse if depth % 1000 == 0", "run",
      "print depth", "continue", "print depth", "stepi", "stepi", "stepi", "next", "ignore 1 100",
      "continue", "info breakpoints",
    ]
    let alone = facts(in: try debug(["deep"], commands, environment: [:]))
    #expect(alone.contains { $0.contains("already hit 11 times") }, "\(alone)")
    #expect(alone.contains { $0.contains("exited normally") }, "\(alone)")
    try Host.withFolder { folder in
      let session = try debug(
        ["deep"], commands,
        environment: Host.preloading(folder.appending(path: "%p.wick"), "hz=997,engine=\(engine)"))
      let sampled = facts(in: session)
      #expect(sampled.filter { hits($0) == nil } == alone.filter { hits($0) == nil }, "\(session)")
      // A signal that is delivered where a breakpoint stands makes gdb count it twice, whoever sends
      // it: "no fewer" is all that can be said.
      #expect(try #require(sampled.compactMap(hits).first) >= 11, "\(session)")
    }
  }

  /// How often gdb says that a breakpoint was hit; nil for other facts.
  private func hits(_ fact: String) -> Int? {
    fact.firstMatch(of: /already hit ([0-9]+) times/).flatMap { Int($0.1) }
  }

  @Test(arguments: Permission.engines) func programSurvivesAttachment(engine: String) throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "attached.wick")
      let running = try Host.start(
        "WickAgentProbe", ["burn", "2.5"],
        environment: Host.preloading(file, "hz=997,engine=\(engine)"))
      defer {
        kill(running.process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: running.errors)
      }
      for _ in 0..<3 {
        usleep(100_000)
        let outcome = try Debugger.run([
          "--batch", "-nx", "-p", "\(running.process.processIdentifier)",
          "-ex", "thread apply all backtrace", "-ex", "detach",
        ])
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(text.contains("burn"), "\(text)\(outcome.errors)")
        #expect(text.contains("detached"))
      }
      running.process.waitUntilExit()
      #expect(running.process.terminationReason == .exit)
      #expect(running.process.terminationStatus == 0)
      let profile = try Host.read(file)
      #expect(profile.origin.processes.map(\.endReason) == ["exited"])
      #expect(Double(profile.total(of: 1)) / 1e9 > 1.5)
    }
  }
}
