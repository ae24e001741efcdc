import Testing
import WickProfile

@Suite struct ComparisonTests {
  private static func profile(_ stacks: [(String, Int64)]) -> Profile {
    var profile = Profile(valueTypes: [.samples])
    for (path, value) in stacks {
      var node = 0
      for name in path.split(separator: ";") {
        let frame = profile.intern(Frame(function: String(name)))
        node = profile.stack(parent: node, frame: frame)
      }
      profile.add(Profile.Sample(stack: node), values: [value])
    }
    return profile
  }

  private let before = profile([("main;a;x", 400), ("main;b", 300), ("main;old;y", 200)])
  private let after = profile([("main;a;x", 500), ("main;a", 100), ("main;b", 310), ("new", 90)])

  @Test func differencesOfCalleesSumUpToTheCallers() {
    let paths = CallPaths(Comparison(before: before, after: after).profile, columns: [0, 1])
    for node in 0..<paths.count {
      var (sum, callee) = (
        paths.selfValues[0][node] - paths.selfValues[1][node], paths.firstCallee(of: node)
      )
      while let current = callee {
        sum += paths.totalValues[0][current] - paths.totalValues[1][current]
        callee = paths.nextCallee(after: current)
      }
      #expect(sum == paths.totalValues[0][node] - paths.totalValues[1][node])
    }
    #expect(paths.totalValues.map { $0[0] } == [1000, 900])
  }

  @Test func functionsHaveBothValues() {
    let rows = Comparison(before: before, after: after).functions
    let texts = rows.map { row in
      "\(row.function.name) \(row.selfDifference) \(row.totalDifference) "
        + "\(row.totalValues.before) \(row.totalValues.after)"
    }
    #expect(
      texts == [
        "y -200 -200 200 0", "a 100 200 400 600", "x 100 100 400 500", "new 90 90 0 90",
        "b 10 10 300 310", "old 0 -200 200 0", "main 0 10 900 910",
      ])
  }

  @Test func normalizationScalesBefore() {
    let total = Comparison(before: before, after: after, normalization: .total)
    #expect(total.profile.total(of: 1) == 1000)
    #expect(total.unscaledTotalBefore == 900)
    let work = Comparison(
      before: before, after: after, normalization: .work(before: 300, after: 150))
    #expect(work.scale == 0.5)
    #expect(work.profile.total(of: 1) == 450)
  }

  @Test func noiseGrowsWithTheCounts() {
    let comparison = Comparison(before: before, after: after)
    #expect(comparison.noise(before: 0, after: 0) == 0)
    #expect(comparison.noise(before: 50, after: 50) == 30)
    #expect(comparison.noise(before: -5, after: 100) == 30)
  }

  @Test func extremeValuesDoNotTrap() {
    let huge = Self.profile([("a", .max), ("b", .max), ("c", .min)])
    for normalization in [Comparison.Normalization.none, .total, .work(before: 1, after: 1e14)] {
      let comparison = Comparison(before: huge, after: after, normalization: normalization)
      #expect(comparison.functions.count == 6)
      _ = Comparison(before: after, after: huge, normalization: normalization).functions
    }
    let nothing = Profile(valueTypes: [.samples])
    #expect(Comparison(before: nothing, after: nothing, normalization: .total).functions.isEmpty)
  }

  /// Two runs of the same program: what differs does so by chance.
  @Test(arguments: 1...8) func equalProgramsDifferWithinNoise(seed: UInt64) {
    var state = seed
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    func run() -> Profile {
      var counts = [Int64](repeating: 0, count: 300)
      // Few functions take most, as they do.
      for _ in 0..<10_000 { counts[Int(300 * random() * random() * random())] += 1 }
      return Self.profile(
        counts.enumerated().map { ("main;s\($0.offset % 7);f\($0.offset)", $0.element) })
    }
    let comparison = Comparison(before: run(), after: run())
    let paths = CallPaths(comparison.profile, columns: [0, 1])
    var (colored, all) = (0.0, 0.0)
    for node in 0..<paths.count {
      let (new, old) = (paths.totalValues[0][node], paths.totalValues[1][node])
      all += Double(new)
      if abs(Double(new - old)) > comparison.noise(before: old, after: new) {
        colored += Double(new)
      }
    }
    #expect(colored < 0.05 * all, "\(colored / all)")
  }
}
