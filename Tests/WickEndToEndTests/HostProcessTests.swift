import Foundation
import Testing
import WickProfile

/// Other processes that a host makes, and the ways in which it ends, are as without the agent.
@Suite(.serialized) struct HostProcessTests {
  @Test(arguments: Permission.engines, ["vfork-loop", "spawn-loop", "raw-fork"])
  func childrenAreUndisturbed(engine: String, mode: String) throws {
    let (outcome, profile) = try Host.watchedProbe([mode], options: "hz=4999,engine=\(engine)")
    #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
    #expect(outcome.errors.isEmpty)
    #expect(!profile.samples.isEmpty)
    #expect(profile.origin.processes.map(\.endReason) == ["exited"])
  }

  /// The loader's lock may be held by the agent's thread when the host forks.
  @Test(arguments: Permission.engines) func childrenMayUseTheLoader(engine: String) throws {
    let (outcome, _) = try Host.watchedProbe(
      ["fork-loader", try CompiledFixture.library.get()], options: "hz=4999,engine=\(engine)")
    #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
  }

  @Test(arguments: 1...4) func childOfAForkCanRecordItself(engine: Int) throws {
    try Host.withFolder { folder in
      let outcome = try Host.runWatched(
        "WickLinkedProbe", ["forked", "\(engine)", folder.appending(path: "%p.wick").path])
      if engine <= 2, !Permission.engines.contains("perf") { return }
      #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
      #expect(files.count == 2)
      for file in files {
        let profile = try Host.read(file)
        #expect(!profile.origin.isIncomplete)
        let seconds = Double(profile.total(of: 1)) / 1e9
        #expect((0.2...0.6).contains(seconds), "\(seconds) s")
      }
    }
  }

  @Test(
    arguments: Permission.engines,
    [
      ["end-exit"], ["hard-exit"], ["end-quick"], ["end-abort"], ["end-fault"],
      ["end-breakpoint"], ["end-signal", "15"], ["end-signal", "5"], ["end-signal", "27"],
      ["end-handler"], ["end-last-thread"], ["exec-in-thread"],
    ])
  func endsAreTheSame(engine: String, mode: [String]) throws {
    let alone = try Host.runWatched("WickAgentProbe", mode)
    let (outcome, profile) = try Host.watchedProbe(mode, options: "hz=4999,engine=\(engine)")
    #expect(outcome.text == alone.text)
    #expect(!profile.samples.isEmpty)
  }

  /// What /proc/self shows of a process whose first thread has left is less; the others go on.
  @Test(arguments: Permission.engines) func stacksAreWholeAfterTheFirstThread(engine: String) throws
  {
    let (_, profile) = try Host.watchedProbe(
      ["end-last-thread"], options: "hz=997,engine=\(engine)")
    #expect(profile.origin.processes.map(\.endReason) == ["exited"])
    let cut = profile.origin.statistic("truncated")
    #expect(cut * 20 <= profile.samples.count, "\(cut) of \(profile.samples.count) truncated")
    #expect(Double(profile.total(of: 1)) / 1e9 > 0.4)
  }
}
