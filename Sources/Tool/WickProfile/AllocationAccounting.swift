/// What was allocated and followed, and what was missed: the figures behind memory profiles.
public struct AllocationAccounting: Hashable, Sendable {
  /// Mean bytes between two followed allocations, in the order of the recording; 1 where every one was
  /// followed.
  public let intervals: [UInt64]
  /// Sum of each column of `ValueType.allocations` by its name.
  private let totals: [String: Int64]
  /// The high-water mark of live bytes; of several processes the sum of theirs.
  public let peakBytes: UInt64
  /// Allocations that should have been followed and were not; nil where no recorder counted.
  public let lostAllocations: UInt64?
  /// Frees that were not seen before the address was allocated anew; nil where no recorder counted.
  public let lostFrees: UInt64?
  /// Frames that stacks lack, as no more fitted: their callers have the numbers; nil where nobody counted.
  public let leftOutFrames: UInt64?
  /// Frees of objects that were allocated before the recording began; known only while every
  /// allocation is followed.
  public let unknownFrees: UInt64?
  /// Bytes that the agent used for this.
  public let agentBytes: UInt64?

  /// Does the accounts of a profile; nil where allocations were not recorded.
  init?(_ profile: Profile) {
    let histories = profile.origin.processes.compactMap(\.heap)
    guard !histories.isEmpty else { return nil }
    var intervals: [UInt64] = []
    for interval in histories.flatMap(\.intervals) where !intervals.contains(interval) {
      intervals.append(interval)
    }
    self.intervals = intervals
    var totals: [String: Int64] = [:]
    for (column, type) in profile.valueTypes.enumerated() where type.isOfMemory {
      totals[type.name] = profile.total(of: column)
    }
    self.totals = totals
    func statistic(_ name: String) -> UInt64? {
      profile.origin.processes.contains { $0.statistics[name] != nil }
        ? profile.origin.statistic(name) : nil
    }
    peakBytes =
      statistic("peakBytes") ?? UInt64(clamping: totals[ValueType.peakSpace.name] ?? 0)
    lostAllocations = statistic("lostAllocations")
    lostFrees = statistic("lostFrees")
    leftOutFrames = statistic("leftOutFrames")
    unknownFrees = statistic("unknownFrees")
    agentBytes = statistic("allocationMemory")
  }

  /// Whether numbers are estimates.
  public var isSampled: Bool { intervals.contains { $0 > 1 } }

  /// The sum of a column; 0 where there is none.
  public func total(_ type: ValueType) -> Int64 { totals[type.name] ?? 0 }

  /// Objects that were freed.
  public var freedObjects: Int64 {
    total(.allocatedObjects).addingSaturating(0 &- total(.liveObjects))
  }

  /// Whether anything was missed.
  public var hasLosses: Bool {
    [lostAllocations, lostFrees, leftOutFrames].contains { ($0 ?? 0) > 0 }
  }
}
