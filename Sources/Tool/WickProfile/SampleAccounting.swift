/// What was sampled, and what should have been: the figures behind every statement of loss.
public struct SampleAccounting: Hashable, Sendable {
  /// Weight that the recorder had to drop, by reason.
  public struct Loss: Hashable, Sendable {
    /// The name of the statistic, such as `lostRingFull`.
    public var statistic: String
    /// The reason for people.
    public var reason: String
    /// The weight.
    public var weight: UInt64
  }

  /// Number of rows but for those of allocations.
  public let samples: Int
  /// Sum of the first column: what the rows count.
  public let weight: Int64
  /// The part of `weight` whose stacks do not reach their thread's entry.
  public let truncatedWeight: Int64
  /// Samples in which a frame was found by frame pointer, as no unwind table covered it; nil where
  /// no recorder counted.
  public let framePointerSamples: UInt64?
  /// Threads that blocked the sampling signal, which is where unsampled CPU time may have gone.
  public let blockedThreads: [Origin.BlockedThread]
  /// Weight that `cpuNanoseconds` stands for; nil where that is not known.
  public let expectedWeight: UInt64?
  /// CPU time of the processes without the agent's own; nil where it was not recorded
  /// up to the end.
  public let cpuNanoseconds: UInt64?
  /// CPU time that the samples stand for; nil where the profile has no such column.
  public let sampledNanoseconds: UInt64?
  /// What was dropped; empty where no recorder counted.
  public let losses: [Loss]
  /// What is known of allocations; nil where they were not recorded.
  public let allocations: AllocationAccounting?

  /// Does the accounts of a profile; of an excerpt those of the whole, as only that was recorded.
  public init(_ profile: Profile) {
    let origin = profile.origin
    if let excerpt = origin.excerpt {
      self = excerpt.accounting
      return
    }
    allocations = AllocationAccounting(profile)
    // Rows of allocations count no samples.
    samples =
      allocations == nil
      ? profile.samples.count : profile.columns[0].reduce(0) { $0 + ($1 != 0 ? 1 : 0) }
    weight = profile.total(of: 0)
    truncatedWeight = Self.truncatedWeight(of: profile)
    sampledNanoseconds = profile.valueTypes.firstIndex(of: .cpu).map {
      UInt64(clamping: profile.total(of: $0))
    }
    framePointerSamples =
      origin.processes.contains { $0.statistics["framePointerSteps"] != nil }
      ? origin.statistic("framePointerSteps") : nil
    blockedThreads = origin.processes.flatMap(\.blockedThreads)
    // Totals are recorded now and then: only those of the end fit the samples.
    let hasTotals = origin.processes.allSatisfy {
      $0.endReason != nil && $0.statistics["processCPUNanoseconds"] != nil
    }
    if hasTotals, !origin.processes.isEmpty {
      let (used, own) = (
        origin.statistic("processCPUNanoseconds"), origin.statistic("agentCPUNanoseconds")
      )
      let cpu = used >= own ? used - own : 0
      cpuNanoseconds = cpu
      let period = UInt64(origin.periodNanoseconds)
      // Rounded to the nearest.
      expectedWeight = period == 0 ? nil : cpu / period + (cpu % period >= (period + 1) / 2 ? 1 : 0)
    } else {
      cpuNanoseconds = nil
      expectedWeight = nil
    }
    losses = Self.reasons.compactMap { statistic, reason in
      guard origin.processes.contains(where: { $0.statistics[statistic] != nil }) else {
        return nil
      }
      return Loss(statistic: statistic, reason: reason, weight: origin.statistic(statistic))
    }
  }

  /// CPU time that no sample stands for; nil where it is not known.
  public var unsampledNanoseconds: UInt64? {
    guard let cpuNanoseconds, let sampledNanoseconds else { return nil }
    return cpuNanoseconds > sampledNanoseconds ? cpuNanoseconds - sampledNanoseconds : 0
  }

  /// Sum of what was dropped, saturating.
  public var lostWeight: UInt64 {
    losses.reduce(0) { sum, loss in
      let (total, overflow) = sum.addingReportingOverflow(loss.weight)
      return overflow ? .max : total
    }
  }

  private static let reasons = [
    ("lostRingFull", "ring full"), ("lostNoSlot", "no thread slot"),
    ("lostStackTable", "stack table full"), ("lostSlowReader", "wick too slow to receive"),
  ]

  private static func truncatedWeight(of profile: Profile) -> Int64 {
    var isTruncated = [Bool](repeating: false, count: profile.stacks.count)
    for node in profile.stacks.parents.indices.dropFirst() {
      isTruncated[node] =
        isTruncated[Int(profile.stacks.parents[node])]
        || profile.frames[Int(profile.stacks.frames[node])].kind == .truncated
    }
    var sum: Int64 = 0
    for (row, sample) in profile.samples.enumerated() where isTruncated[sample.stack] {
      sum = sum.addingSaturating(profile.columns[0][row])
    }
    return sum
  }
}
