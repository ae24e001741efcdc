/// Disjoint stretches of code in ascending order, each with a node.
struct CodeSegments {
  private(set) var starts: [UInt32] = []
  private(set) var nodes: [UInt32] = []
  /// Where the last stretch ends.
  private var end: UInt32 = 0

  /// Adds a stretch; only what is behind all others is taken.
  mutating func append(_ places: Range<UInt32>, node: UInt32) {
    let start = max(places.lowerBound, end)
    guard start < places.upperBound else { return }
    if !starts.isEmpty, start == end {
      // The gap that ended the last stretch is none.
      starts.removeLast()
      nodes.removeLast()
      if nodes.last == node {
        starts.append(places.upperBound)
        nodes.append(SourceIndexBuilder.noNode)
        end = places.upperBound
        return
      }
    }
    starts.append(start)
    nodes.append(node)
    starts.append(places.upperBound)
    nodes.append(SourceIndexBuilder.noNode)
    end = places.upperBound
  }

  /// Whether some of a stretch has no node.
  func hasGap(in places: Range<UInt32>) -> Bool {
    let next = starts.partitioningIndex { $0 > places.lowerBound }
    var index = next - 1
    guard index >= 0 else { return true }
    while index < starts.count, starts[index] < places.upperBound {
      if nodes[index] == SourceIndexBuilder.noNode { return true }
      index += 1
    }
    return false
  }

  /// Adds stretches of others where this has none.
  mutating func fillGaps(with other: CodeSegments) {
    guard !other.starts.isEmpty else { return }
    var result = CodeSegments()
    result.starts.reserveCapacity(starts.count + other.starts.count)
    result.nodes.reserveCapacity(starts.count + other.starts.count)
    var mine = 0
    var theirs = 0
    var position: UInt32 = 0
    while position < .max {
      while mine < starts.count, starts[mine] <= position { mine += 1 }
      while theirs < other.starts.count, other.starts[theirs] <= position { theirs += 1 }
      let next = min(
        mine < starts.count ? starts[mine] : .max,
        theirs < other.starts.count ? other.starts[theirs] : .max)
      var node = mine > 0 ? nodes[mine - 1] : SourceIndexBuilder.noNode
      if node == SourceIndexBuilder.noNode, theirs > 0 { node = other.nodes[theirs - 1] }
      if node != SourceIndexBuilder.noNode { result.append(position..<next, node: node) }
      position = next
    }
    self = result
  }
}
