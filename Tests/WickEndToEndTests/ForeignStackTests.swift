import Foundation
import Testing
import WickProfile
import WickSymbols

/// Stacks that are not a thread's own: walked to their end, or marked as cut.
@Suite(.serialized) struct ForeignStackTests {
  private func record(_ mode: String, engine: String) throws -> Profile {
    try Host.withFolder { folder in
      let file = folder.appending(path: "stacks.wick")
      let outcome = try Host.runWatched(
        "WickAgentProbe", [mode],
        environment: Host.preloading(file, "hz=4999,engine=\(engine)"))
      #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
      #expect(outcome.errors.isEmpty)
      var symbolicator = Symbolicator()
      return symbolicator.symbolicate(try Host.read(file))
    }
  }

  private func isMarked(_ sample: Profile.Sample, in profile: Profile) -> Bool {
    profile.stacks.framesLeafFirst(of: sample.stack).contains {
      profile.frames[$0].kind == .truncated
    }
  }

  @Test(arguments: Permission.engines, ["coroutines", "coroutines-by-hand"])
  func coroutinesReachTheirEntryOrAreMarked(engine: String, mode: String) throws {
    let profile = try record(mode, engine: engine)
    var inside = 0
    var whole = 0
    for sample in profile.samples {
      let names = profile.functions(of: sample.stack)
      guard names.contains("coroutine_work") else { continue }
      inside += 1
      if names.contains("coroutine_entry") {
        whole += 1
      } else {
        #expect(isMarked(sample, in: profile), "\(names)")
      }
    }
    #expect(inside > 200)
    #expect(whole * 100 >= inside * 98, "\(whole) of \(inside)")
  }

  @Test(arguments: Permission.engines) func signalStacksReachTheThread(engine: String) throws {
    let profile = try record("signal-stacks", engine: engine)
    var inside = 0
    var whole = 0
    for sample in profile.samples {
      let names = profile.functions(of: sample.stack)
      guard names.contains("burn_shortly_on_signal") else { continue }
      inside += 1
      whole += names.contains("change_signal_stacks") ? 1 : 0
    }
    #expect(inside > 100)
    #expect(whole * 100 >= inside * 99, "\(whole) of \(inside)")
  }

  @Test(arguments: Permission.engines, ["own-stacks", "stack-with-hole"])
  func stacksOfTheHostsMakingDoNoHarm(engine: String, mode: String) throws {
    #expect(try !record(mode, engine: engine).samples.isEmpty)
  }
}
