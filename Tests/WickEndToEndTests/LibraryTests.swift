import Foundation
import Testing
import WickProfile
import WickSymbols

/// Libraries that are loaded and unloaded while their host is sampled.
@Suite(.serialized) struct LibraryTests {
  @Test(arguments: Permission.engines) func samplesAreTheLibrarys(engine: String) throws {
    let paths = [try CompiledFixture.library.get(), try CompiledFixture.otherLibrary.get()]
    try Host.withFolder { folder in
      let file = folder.appending(path: "libraries.wick")
      let outcome = try Host.runWatched(
        "WickAgentProbe", ["load-loop"] + paths,
        environment: Host.preloading(file, "hz=4999,engine=\(engine)"))
      #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
      let inside = try #require(
        Double(String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")[0]))
      var symbolicator = Symbolicator()
      let profile = symbolicator.symbolicate(try Host.read(file))
      var weight = 0.0
      var (samples, guessed) = (0, 0)
      for (row, sample) in profile.samples.enumerated() {
        guard profile.isLeaf("wick_library_leaf", of: sample.stack) else { continue }
        let names = profile.functions(of: sample.stack)
        samples += 1
        guessed += names.contains("wick_library_work") ? 0 : 1
        let module = profile.frames[Int(profile.stacks.frames[sample.stack])].module
        #expect(module.map { paths.contains(profile.modules[$0].path) } == true)
        weight += Double(profile.columns[1][row]) / 1e9
      }
      #expect((inside * 0.9...inside * 1.1).contains(weight), "\(weight) of \(inside) s")
      // The first sample in a library that has just come finds no table yet: it is stepped by frame
      // pointer, which may pass over a caller, and the recording says how often that was. One comes
      // every 10 ms here, which is two or three ticks of the timers.
      #expect(guessed * 10 <= samples, "\(guessed) of \(samples)")
      #expect(UInt64(guessed) <= profile.origin.statistic("framePointerSteps"))
    }
  }

  @Test(arguments: Permission.engines) func constructorsMayMakeThreads(engine: String) throws {
    let (outcome, _) = try Host.watchedProbe(
      ["load-threads", try CompiledFixture.threadsLibrary.get()],
      options: "hz=4999,engine=\(engine)")
    #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
  }
}
