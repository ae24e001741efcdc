import Testing
import WickProfile

@Suite struct SampleAccountingTests {
  /// One process with these statistics, 10 ms a sample.
  private func profile(weights: [Int64], _ statistics: [String: UInt64]) -> Profile {
    var profile = Profile(valueTypes: [.samples, .cpu])
    for weight in weights {
      profile.add(Profile.Sample(stack: 0), values: [weight, weight * 10_000_000])
    }
    var process = Origin.Process(pid: 1)
    process.statistics = statistics
    process.endReason = "stopped"
    profile.origin.processes = [process]
    profile.origin.periodNanoseconds = 10_000_000
    return profile
  }

  @Test func comparesWithTheCPUTime() {
    let accounting = SampleAccounting(
      profile(
        weights: [1, 2, 90],
        ["processCPUNanoseconds": 1_004_000_000, "agentCPUNanoseconds": 9_000_000]))
    #expect(accounting.samples == 3)
    #expect(accounting.weight == 93)
    #expect(accounting.cpuNanoseconds == 995_000_000)
    #expect(accounting.expectedWeight == 100)
    #expect(accounting.sampledNanoseconds == 930_000_000)
    #expect(accounting.unsampledNanoseconds == 65_000_000)
    #expect(accounting.losses == [])
  }

  /// A killed process leaves totals that are older than its last samples.
  @Test func comparesNothingWithTotalsOfEarlier() {
    var profile = profile(weights: [9], ["processCPUNanoseconds": 50_000_000, "lostRingFull": 3])
    profile.origin.processes[0].endReason = nil
    let accounting = SampleAccounting(profile)
    #expect(accounting.cpuNanoseconds == nil)
    #expect(accounting.expectedWeight == nil)
    #expect(accounting.unsampledNanoseconds == nil)
    #expect(accounting.sampledNanoseconds == 90_000_000)
    #expect(accounting.lostWeight == 3)
    profile.origin.processes[0].endReason = "stopped"
    profile.origin.processes.append(Origin.Process(pid: 2))
    #expect(SampleAccounting(profile).cpuNanoseconds == nil)
  }

  @Test func moreThanExpectedIsNoLoss() {
    let accounting = SampleAccounting(
      profile(weights: [3], ["processCPUNanoseconds": 24_999_999]))
    #expect(accounting.expectedWeight == 2)
    #expect(accounting.unsampledNanoseconds == 0)
  }

  @Test func slowReaderIsALoss() {
    let accounting = SampleAccounting(profile(weights: [3], ["lostSlowReader": 7]))
    #expect(accounting.losses.map(\.reason) == ["wick too slow to receive"])
    #expect(accounting.lostWeight == 7)
  }

  @Test func sumsLossesByReason() {
    let accounting = SampleAccounting(
      profile(weights: [], ["lostRingFull": .max, "lostStackTable": 5, "lostNoSlot": 0]))
    #expect(accounting.losses.map(\.reason) == ["ring full", "no thread slot", "stack table full"])
    #expect(accounting.losses.map(\.weight) == [.max, 0, 5])
    #expect(accounting.lostWeight == .max)
    #expect(accounting.cpuNanoseconds == nil)
    #expect(accounting.expectedWeight == nil)
  }

  @Test func survivesStatisticsThatContradictThemselves() {
    let accounting = SampleAccounting(
      profile(
        weights: [.max / 10_000_000],
        ["processCPUNanoseconds": 1, "agentCPUNanoseconds": .max]))
    #expect(accounting.cpuNanoseconds == 0)
    #expect(accounting.expectedWeight == 0)
    var untimed = profile(weights: [1], ["processCPUNanoseconds": 5])
    untimed.origin.periodNanoseconds = 0
    #expect(SampleAccounting(untimed).expectedWeight == nil)
    untimed.origin.periodNanoseconds = .max
    #expect(SampleAccounting(untimed).expectedWeight == 0)
  }

  @Test func countsTruncatedStacksAtAnyDepth() {
    var profile = profile(weights: [100], [:])
    let cut = profile.intern(Frame(kind: .truncated, function: "[truncated]"))
    let other = profile.intern(Frame(function: "f"))
    let root = profile.stack(parent: 0, frame: cut)
    let deep = profile.stack(parent: profile.stack(parent: root, frame: other), frame: other)
    let whole = profile.stack(parent: 0, frame: other)
    for (node, weight) in [(root, Int64(1)), (deep, 2), (whole, 4)] {
      profile.add(Profile.Sample(stack: node), values: [weight, 0])
    }
    #expect(SampleAccounting(profile).truncatedWeight == 3)
  }
}
