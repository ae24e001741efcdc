import Foundation
import Testing
import WickProfile
import WickSymbols

/// A program whose true profile is known by its threads' own clocks.
@Suite(.serialized) struct KnownSplitTests {
  struct Case: CustomTestStringConvertible {
    var engine: String
    var hertz: Int
    var seconds: Int
    /// Of each leaf's share, in percent points.
    var tolerance: Double
    /// Whether threads have their own clocks; else a tick is of whoever runs then.
    var isExactByThread: Bool { engine != "setitimer" }

    var testDescription: String { "\(engine) \(hertz) Hz" }
  }

  /// Long enough at 99 Hz for the tolerance to be 3.6 or more standard deviations of a sampled share.
  static let cases = [
    Case(engine: "perf", hertz: 99, seconds: 40, tolerance: 2),
    Case(engine: "perf", hertz: 997, seconds: 6, tolerance: 2),
    Case(engine: "perf", hertz: 4999, seconds: 4, tolerance: 2),
    Case(engine: "perf", hertz: 10_000, seconds: 4, tolerance: 2),
    Case(engine: "perf-signal", hertz: 997, seconds: 6, tolerance: 2),
    Case(engine: "perf-signal", hertz: 10_000, seconds: 4, tolerance: 2),
    Case(engine: "timer", hertz: 99, seconds: 20, tolerance: 3),
    Case(engine: "timer", hertz: 997, seconds: 16, tolerance: 3),
    // One timer for all threads: the tick and the switches between threads beat.
    Case(engine: "setitimer", hertz: 99, seconds: 20, tolerance: 4),
  ]

  @Test(arguments: cases.filter { Permission.engines.contains($0.engine) })
  func sharesAndWeightsAreTrue(_ test: Case) throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "split.wick")
      let outcome = try Host.run(
        "WickKnownSplit", ["--seconds", "\(test.seconds)", "--threads", "2"],
        environment: Host.preloading(file, "hz=\(test.hertz),engine=\(test.engine)"))
      try #require(outcome.exitCode == 0)
      let truth = try JSONDecoder().decode(KnownSplit.self, from: outcome.output)
      var symbolicator = Symbolicator()
      let profile = symbolicator.symbolicate(try Host.read(file))
      let total = truth.threads.reduce(0) { $0 + $1.cpuNanoseconds }
      let period = Double(profile.origin.periodNanoseconds)

      let known = Set(truth.threads.map(\.tid))
      let weights = profile.weights().filter { known.contains($0.key) }
      let delivered = weights.values.reduce(0, +) * period / total
      #expect((0.98...1.02).contains(delivered), "delivered/expected")

      var allLeaves = 0.0
      for leaf in ["leaf_seventy", "leaf_twenty", "leaf_ten"] {
        let truthShare =
          truth.threads.reduce(0) { $0 + ($1.leafNanoseconds[leaf] ?? 0) } / total * 100
        let found = profile.weights { profile.isLeaf(leaf, of: $0.stack) }.values.reduce(0, +)
        let share = found / weights.values.reduce(0, +) * 100
        #expect(abs(share - truthShare) <= test.tolerance, "\(leaf): \(share), not \(truthShare)")
        allLeaves += share
      }
      #expect(allLeaves > 97)
      for thread in truth.threads where test.isExactByThread {
        let share = (weights[thread.tid] ?? 0) / weights.values.reduce(0, +) * 100
        let truthShare = thread.cpuNanoseconds / total * 100
        #expect(
          abs(share - truthShare) <= test.tolerance, "\(thread.name): \(share), not \(truthShare)")
      }
    }
  }

  @Test func everyStackHasItsTwentyFourLevels() throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "split.wick")
      try Host.run(
        "WickKnownSplit", ["--seconds", "2", "--late"], environment: Host.preloading(file, "hz=997")
      )
      var symbolicator = Symbolicator()
      let profile = symbolicator.symbolicate(try Host.read(file))
      var whole = 0
      var leaves = 0
      for sample in profile.samples {
        let names = profile.functions(of: sample.stack)
        guard names.first?.hasPrefix("leaf_") == true else { continue }
        leaves += 1
        let levels = names.filter { $0.hasPrefix("level_") }
        if levels.count == 24, names.contains("wick_descend"), names.last != "wick_descend" {
          whole += 1
        }
      }
      #expect(leaves > 200)
      #expect(Double(whole) >= Double(leaves) * 0.999, "\(whole) of \(leaves)")
    }
  }
}
