import Foundation
import Testing
import WickTestPrograms

/// What is stated of a sample holds for the whole.
@Suite(.serialized, .timeLimit(.minutes(30))) struct SampledSiteTests {
  /// By hand 100.
  private static let runs =
    ProcessInfo.processInfo.environment["WICK_SAMPLED_RUNS"].flatMap { Int($0) } ?? 20
  private static let mebibytes = 512

  /// Of the values in all runs and places, and the means of estimate ÷ truth.
  private struct Tally {
    var (inside, all) = (0, 0)
    var ratios: [Double] = []

    mutating func add(_ row: AllocationRecording.Row?, truth: Int64) {
      let bounds = row?.totalInterval ?? [row?.total ?? 0, row?.total ?? 0]
      inside += bounds[0] <= truth && truth <= bounds[1] ? 1 : 0
      all += 1
      ratios.append(Double(row?.total ?? 0) / Double(truth))
    }

    /// Mean of estimate ÷ truth, and the error of this mean.
    var bias: (mean: Double, error: Double) {
      let count = Double(ratios.count)
      let mean = ratios.reduce(0, +) / count
      let variance = ratios.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
      return (mean, (variance / count).squareRoot())
    }
  }

  @Test func intervalsHoldTheTruth() throws {
    try Place.withFolder { folder in
      var tallies: [String: [String: Tally]] = [:]
      for _ in 0..<Self.runs {
        let recording = try AllocationRecording.make(
          .preloaded, try AllocationFixture.sampled.get(), ["\(Self.mebibytes)"],
          interval: "512k", folder: folder)
        defer { unlink(recording.path) }
        let truth = recording.truth("share_")
        try #require(truth.count == 11)
        for (place, value) in [(0, "alloc_objects"), (1, "alloc_space"), (3, "inuse_space")] {
          let found = try recording.functions(value)
          for (site, numbers) in truth {
            // Those over 1 % of all bytes.
            guard numbers[1] > Int64(Self.mebibytes) << 20 / 100, numbers[place] > 0 else {
              continue
            }
            tallies[value, default: [:]][site, default: Tally()].add(
              found[site], truth: numbers[place])
          }
        }
      }
      for (value, sites) in tallies.sorted(by: { $0.key < $1.key }) {
        for (site, tally) in sites.sorted(by: { $0.key > $1.key }) {
          let (mean, error) = tally.bias
          print(
            "\(value) \(site): \(tally.inside) of \(tally.all) in their intervals; estimate ÷ truth "
              + String(format: "%.3f ± %.3f", mean, 2 * error))
          // Five standard errors: a false alarm in a million. Of what is nearly always seen, runs
          // differ too little to tell.
          #expect(abs(mean - 1) <= max(5 * error, 0.01), "\(value) \(site)")
        }
        let inside = sites.values.reduce(0) { $0 + $1.inside }
        let all = sites.values.reduce(0) { $0 + $1.all }
        print("\(value): \(inside) of \(all)")
        #expect(Double(inside) >= 0.93 * Double(all) - 3 * (Double(all) * 0.05 * 0.95).squareRoot())
      }
      #expect(tallies["alloc_space"]?.count == 10)
    }
  }

  /// A value of few samples has wide bounds, and says so.
  @Test func sampledValuesHaveBoundsAndExactOnesNone() throws {
    try Place.withFolder { folder in
      let program = try AllocationFixture.sampled.get()
      let sampled = try AllocationRecording.make(
        .preloaded, program, ["64"], interval: "512k", folder: folder)
      let row = try #require(try sampled.functions("alloc_space")["share_300"])
      let bounds = try #require(row.totalInterval)
      #expect(bounds[0] < row.total && row.total < bounds[1])
      #expect(try sampled.account().intervals == [512 << 10])
      let exact = try AllocationRecording.make(.preloaded, program, ["64"], folder: folder)
      #expect(try exact.functions("alloc_space")["share_300"]?.totalInterval == nil)
      for (site, numbers) in exact.truth("share_") {
        let found = try exact.functions("alloc_space")[site]?.total ?? 0
        #expect(found == numbers[1], "\(site)")
      }
    }
  }
}
