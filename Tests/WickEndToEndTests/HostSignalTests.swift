import Foundation
import Testing
import WickProfile

/// Signals that the host handles, ignores, blocks or waits for.
@Suite(.serialized) struct HostSignalTests {
  /// An engine that sends SIGPROF from within a system call takes the place of the host's own of
  /// the same moment: standard signals do not queue.
  static let exactEngines = Permission.engines.filter { $0 != "perf-signal" }

  private func expectUndisturbed(
    _ mode: String, engine: String, environment: [String: String] = [:]
  ) throws -> Profile {
    let (outcome, profile) = try Host.watchedProbe(
      [mode], options: "hz=4999,engine=\(engine)", environment: environment)
    #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
    #expect(outcome.errors.isEmpty)
    return profile
  }

  @Test(arguments: exactEngines) func codesAndValuesArrive(engine: String) throws {
    _ = try expectUndisturbed("signal-values", engine: engine)
  }

  @Test(arguments: Permission.engines) func handlersRunAsAsked(engine: String) throws {
    _ = try expectUndisturbed("handler-flags", engine: engine)
  }

  @Test(arguments: Permission.engines, [[:], ["WICK_PROBE_SIGNALS": "ignored"]])
  func ignoredSignalsStayIgnored(engine: String, environment: [String: String]) throws {
    let profile = try expectUndisturbed("ignored-signals", engine: engine, environment: environment)
    #expect(Double(profile.total(of: 1)) / 1e9 > 0.3)
  }

  @Test(arguments: Permission.engines, ["own-itimer", "own-timer"])
  func timersOfTheHostKeepWorking(engine: String, mode: String) throws {
    let profile = try expectUndisturbed(mode, engine: engine)
    // There is one process timer: where the host takes it, the recording ends before the host.
    #expect(engine == "setitimer" || Double(profile.total(of: 1)) / 1e9 > 0.9)
  }

  @Test(.enabled(if: Permission.engines.contains("perf")), arguments: Permission.engines)
  func perfEventsOfTheHostKeepWorking(engine: String) throws {
    _ = try expectUndisturbed("own-perf", engine: engine)
  }

  @Test(arguments: Permission.engines) func whoWaitsForSignalsGetsItsOwn(engine: String) throws {
    _ = try expectUndisturbed("wait-for-signals", engine: engine)
  }

  @Test(arguments: Permission.engines) func blockedThreadsHarmNobody(engine: String) throws {
    let (outcome, profile) = try Host.watchedProbe(
      ["blocked-thread"], options: "hz=997,engine=\(engine)")
    #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
    #expect(profile.origin.processes.map(\.endReason) == ["exited"])
    let tids = try JSONDecoder().decode([UInt32].self, from: outcome.output)
    let weights = profile.weights()
    let period = Double(profile.origin.periodNanoseconds) / 1e9
    let open = (weights[tids[1]] ?? 0) * period
    if engine == "setitimer" {
      // The process's one timer knows no threads: whose tick comes first gets what all have used,
      // or the main thread if that one blocks the signal. All that was used is there.
      let all = weights.values.reduce(0, +) * period
      #expect((1.8...2.3).contains(all), "\(all) s")
    } else {
      #expect((0.9...1.1).contains(open), "\(open) s")
    }
  }
}
