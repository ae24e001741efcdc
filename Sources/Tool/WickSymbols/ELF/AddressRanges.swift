/// Address ranges in ascending order of their starts.
struct AddressRanges {
  private var starts: [UInt64] = []
  private var ends: [UInt64] = []

  /// Sorts ranges; of those with one start the longest stays.
  init(_ ranges: [Range<UInt64>]) {
    let sorted = ranges.sorted { first, second in
      first.lowerBound != second.lowerBound
        ? first.lowerBound < second.lowerBound : first.upperBound > second.upperBound
    }
    for range in sorted where !range.isEmpty && starts.last != range.lowerBound {
      starts.append(range.lowerBound)
      ends.append(range.upperBound)
    }
  }

  var count: Int { starts.count }

  /// All ranges, ascending.
  var ranges: some Sequence<Range<UInt64>> {
    zip(starts, ends).lazy.map { $0..<$1 }
  }

  /// The range that covers an address and starts last before it.
  func range(at address: UInt64) -> Range<UInt64>? {
    let next = starts.partitioningIndex { $0 > address }
    guard next > 0, address < ends[next - 1] else { return nil }
    return starts[next - 1]..<ends[next - 1]
  }

  /// The first start at or above an address.
  func start(from address: UInt64) -> UInt64? {
    let next = starts.partitioningIndex { $0 >= address }
    return next < starts.count ? starts[next] : nil
  }

  /// The first start above an address.
  func start(after address: UInt64) -> UInt64? {
    let next = starts.partitioningIndex { $0 > address }
    return next < starts.count ? starts[next] : nil
  }
}

extension Array {
  /// The first index whose element satisfies a predicate that holds from some element on; the
  /// count if none does.
  func partitioningIndex(where holds: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
