import Foundation
import Testing
import WickProfile

/// The host behaves as it would without the agent, whatever it does.
@Suite(.serialized) struct HarmlessAgentTests {
  static let engines = Permission.engines

  @Test(
    arguments: engines,
    [
      "errno", "fork", "fork-loop", "exec", "spawn", "churn", "many-threads", "signal-stack",
      "small-stacks", "deep", "close-all", "late-handlers",
    ])
  func hostIsUndisturbed(engine: String, mode: String) throws {
    // A SIGPROF of the host's that meets a tick of the same number in the queue is one signal to the
    // kernel, as with any other sender; only this engine's ticks are so many that it shows.
    if engine == "perf-signal", mode == "late-handlers" { return }
    try Host.withFolder { folder in
      let file = folder.appending(path: "%p.wick")
      let outcome = try Host.run(
        "WickAgentProbe", [mode],
        environment: Host.preloading(file, "hz=4999,engine=\(engine)"))
      #expect(!outcome.isSignaled)
      #expect(outcome.exitCode == 0)
      #expect(outcome.errors.isEmpty)
    }
  }

  @Test(arguments: engines) func handlersOfTheHostKeepWorking(engine: String) throws {
    // See above: with this engine one that meets a tick is one with it.
    let least = engine == "perf-signal" ? "40" : "50"
    let (outcome, profile) = try Host.probe(
      "own-handlers", least, options: "hz=4999,engine=\(engine)",
      environment: ["WICK_PROBE_SIGNALS": "1"])
    #expect(outcome.exitCode == 0)
    #expect(!profile.samples.isEmpty)
  }

  @Test(arguments: engines) func childOfAForkIsNotSampledIntoTheFile(engine: String) throws {
    // The parent burns 0.3 s, the child 1.5 s.
    let (_, profile) = try Host.probe("fork", options: "hz=997,engine=\(engine)")
    let seconds = Double(profile.total(of: 1)) / 1e9
    #expect((0.25...0.45).contains(seconds), "\(seconds) s")
    #expect(profile.threads.count == 1)
  }

  @Test(arguments: engines) func nextImageAddsASegment(engine: String) throws {
    let (_, profile) = try Host.probe("exec", options: "hz=997,engine=\(engine)")
    #expect(profile.origin.processes.count == 2)
    #expect(profile.origin.processes.first?.endReason == "exec")
    #expect(profile.origin.processes.last?.endReason == "exited")
    #expect(!profile.origin.isIncomplete)
    let seconds = Double(profile.total(of: 1)) / 1e9
    #expect((0.55...0.75).contains(seconds), "\(seconds) s")
  }

  @Test func hardExitsAreEnds() throws {
    let (outcome, profile) = try Host.probe("hard-exit", options: "hz=997")
    #expect(outcome.exitCode == 9)
    #expect(profile.origin.processes.map(\.endReason) == ["exited"])
  }

  @Test func spawnedProgramsHaveTheirOwnRecording() throws {
    try Host.withFolder { folder in
      try Host.run(
        "WickAgentProbe", ["spawn"],
        environment: Host.preloading(folder.appending(path: "%p.wick"), "hz=997"))
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
      #expect(files.count == 2)
      for file in files {
        let seconds = Double(try Host.read(file).total(of: 1)) / 1e9
        #expect((0.25...0.45).contains(seconds), "\(seconds) s")
      }
    }
  }

  @Test func childrenCanBeLeftOut() throws {
    try Host.withFolder { folder in
      try Host.run(
        "WickAgentProbe", ["spawn"],
        environment: Host.preloading(folder.appending(path: "%p.wick"), "children=off"))
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(files.count == 1)
    }
  }

  @Test func deepStacksAreCutAndMarked() throws {
    let (_, profile) = try Host.probe("deep", options: "hz=997")
    let marked = profile.samples.filter { sample in
      guard let root = profile.stacks.framesLeafFirst(of: sample.stack).last else { return false }
      return profile.frames[root].kind == .truncated
    }
    #expect(marked.count > profile.samples.count * 9 / 10)
    #expect(profile.origin.statistic("truncated") == UInt64(marked.count))
  }

  @Test func unsetMeansOff() throws {
    try Host.withFolder { folder in
      let outcome = try Host.run(
        "WickAgentProbe", ["burn", "0.1"], environment: ["LD_PRELOAD": Host.agent.path],
        folder: folder)
      #expect(outcome.exitCode == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test(arguments: ["hz=0", "hz=10001", "hz=many", "out=", "nonsense", "engine=best", "out"])
  func badOptionsAreSaidAndTheHostGoesOn(options: String) throws {
    let outcome = try Host.run(
      "WickAgentProbe", ["exit", "7"],
      environment: ["LD_PRELOAD": Host.agent.path, "WICK": options])
    #expect(outcome.exitCode == 7)
    #expect(outcome.errors.hasPrefix("wick: not recording: "))
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  @Test func missingFolderIsSaidAndTheHostGoesOn() throws {
    let outcome = try Host.run(
      "WickAgentProbe", ["exit", "7"],
      environment: Host.preloading(URL(fileURLWithPath: "/nonexistent/x.wick")))
    #expect(outcome.exitCode == 7)
    #expect(outcome.errors.contains("No such file or directory"))
  }
}
