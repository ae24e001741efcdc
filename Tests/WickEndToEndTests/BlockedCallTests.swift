import Foundation
import Testing
import WickProfile

/// System calls that wait are not cut short, as CPU time only passes where there is work.
@Suite(.serialized) struct BlockedCallTests {
  /// The events of engine 2 signal from within a system call; those of the others when it returns.
  ///
  /// The process's one timer, whose signal is blocked where it falls due, signals any other thread.
  private func expectWhole(_ outcome: Host.Outcome, engine: String) {
    withKnownIssue("a call may be cut short", isIntermittent: true) {
      #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
    } when: {
      engine == "perf-signal" || engine == "setitimer"
    }
  }

  /// Long waits with hardly any work; and short ones with some, so that ticks fall close to calls.
  @Test(arguments: Permission.engines, [["100", "20", "0"], ["600", "1", "60"]])
  func waitsAreNotInterrupted(engine: String, arguments: [String]) throws {
    let (outcome, _) = try Host.watchedProbe(
      ["waiting"] + arguments, options: "hz=4999,engine=\(engine)")
    expectWhole(outcome, engine: engine)
  }

  @Test(arguments: Permission.engines, ["long-calls", "pipe-calls"])
  func callsThatWorkAreWhole(engine: String, mode: String) throws {
    let (outcome, profile) = try Host.watchedProbe([mode], options: "hz=4999,engine=\(engine)")
    expectWhole(outcome, engine: engine)
    #expect(!profile.samples.isEmpty)
  }
}
