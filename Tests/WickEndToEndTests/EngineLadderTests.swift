import Foundation
import Testing
import WickProfile

/// Which engine is taken, and what follows one that does not work or no longer does.
@Suite(.serialized) struct EngineLadderTests {
  /// Runs the probe from a shell that first does something to itself, and gives what was recorded.
  private func run(
    after preparation: String, _ mode: String, options: String
  ) throws -> (outcome: Host.Outcome, process: Origin.Process, profile: Profile) {
    let probe = Host.products.appending(path: "WickAgentProbe").path
    return try Host.withFolder { folder in
      let file = folder.appending(path: "ladder.wick")
      let preload = try #require(Host.preloading(file, options)["LD_PRELOAD"])
      let outcome = try Host.run(
        "/bin/sh",
        [
          "-c", "\(preparation); exec env LD_PRELOAD=$0 WICK=$1 \(probe) \(mode)",
          preload, "out=\(file.path),\(options)",
        ])
      let profile = try Host.read(file)
      return (outcome, try #require(profile.origin.processes.last), profile)
    }
  }

  @Test(
    arguments: zip(
      ["perf", "perf-signal", "timer", "setitimer"],
      [
        "perf task-clock, SIGTRAP", "perf task-clock, SIGPROF", "thread CPU timers, SIGPROF",
        "process CPU timer, SIGPROF",
      ]))
  func chosenEngineIsTheOneInUse(engine: String, name: String) throws {
    guard Permission.engines.contains(engine) else { return }
    let (outcome, process, profile) = try run(
      after: ":", "burn 0.3", options: "hz=997,engine=\(engine)")
    #expect(outcome.exitCode == 0)
    #expect(process.info["engine"] == name)
    #expect(process.info["fallback"] == nil)
    #expect((280...320).contains(profile.total(of: 0)))
  }

  @Test(.enabled(if: Permission.engines.contains("perf")))
  func threadsThatOutgrowTheDescriptorsGetTimers() throws {
    let (outcome, process, profile) = try run(
      after: "ulimit -n 64", "many-threads", options: "hz=997,engine=perf-signal")
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(process.info["engine"] == "thread CPU timers, SIGPROF")
    #expect(process.info["fallback"]?.contains("a quarter of the free file descriptors") == true)
    // 300 threads of some ticks each: the timers see a part of them.
    #expect(profile.samples.count >= 10)
  }

  @Test(.enabled(if: Permission.engines.contains("perf")))
  func tooFewDescriptorsMeanTimersFromTheStart() throws {
    // Below 4 free descriptors a quarter is none.
    let (outcome, process, profile) = try run(
      after: "ulimit -n 6", "burn 0.3", options: "hz=997")
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(process.info["engine"] == "thread CPU timers, SIGPROF")
    #expect(!profile.samples.isEmpty)
  }

  @Test func nothingIsAskedForThatAFilterKillsFor() throws {
    let (outcome, process, profile) = try run(
      after: ":", "deadly-perf many-threads", options: "hz=997")
    #expect(outcome.exitCode == 0 && !outcome.isSignaled, "\(outcome.errors)")
    #expect(process.info["engine"] == "thread CPU timers, SIGPROF")
    #expect(process.info["fallback"]?.contains("seccomp filter") == true)
    // 300 threads of some ticks each: the timers see a part of them.
    #expect(profile.samples.count >= 10)
  }

  @Test func withoutTimersTheProcessHasOne() throws {
    // No pending signals, no POSIX timers; and a filter that keeps perf events away.
    let (outcome, process, profile) = try run(
      after: "prlimit --sigpending=0 --pid $$", "without-perf burn 0.5", options: "hz=199")
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(process.info["engine"] == "process CPU timer, SIGPROF")
    #expect((85...115).contains(profile.total(of: 0)))
  }
}
