internal import WickProfile

/// Which ends of call paths are the same: from there on one call each, all of one value.
///
/// Most callers of a function lead to the same entry by the same long way, which is read once.
struct CallTreeTails {
  private struct Tail: Hashable {
    var function: Int
    /// The rest; 0 for nothing.
    var rest: Int
  }

  /// How many calls stand behind each node in its tail.
  private(set) var restCounts: [Int]
  /// The tail that begins with each node, from 1; 0 where paths part or values change behind it.
  private var ids: [Int]
  private var written: Set<Int> = []

  init(_ tree: CallTree) {
    ids = [Int](repeating: 0, count: tree.nodes.count)
    restCounts = ids
    var known: [Tail: Int] = [:]
    for index in tree.nodes.indices.dropFirst().reversed() {
      let node = tree.nodes[index]
      var rest = 0
      if node.end > index + 1 {
        let next = tree.nodes[index + 1]
        rest = next.end == node.end && next.totalValue == node.totalValue ? ids[index + 1] : 0
        guard rest > 0 else { continue }
        restCounts[index] = restCounts[index + 1] + 1
      }
      let tail = Tail(function: node.function, rest: rest)
      ids[index] = known[tail, default: known.count + 1]
      known[tail] = ids[index]
    }
  }

  /// Notes that a node is written; returns whether its tail was before, behind another path.
  mutating func write(_ node: Int) -> Bool {
    ids[node] > 0 && !written.insert(ids[node]).inserted
  }
}
