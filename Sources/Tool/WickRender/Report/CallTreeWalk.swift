internal import WickProfile

/// The calls of a tree that cost enough to be shown, callees after callers, the dearest first.
///
/// Call paths may be very deep, so what is open is kept in arrays and a path costs no more than its
/// length.
struct CallTreeWalk {
  /// One call to be shown.
  struct Call {
    /// Index into the tree's nodes; 0 for stacks of no function.
    var node: Int
    /// Whether others have the same caller and are shown.
    var isBranch: Bool
    /// Whether no other of these follows.
    var isLast: Bool
    /// How many of the calls on the way to this one are branches.
    var level: Int
  }

  /// How many calls were left out so far.
  private(set) var leftOutCount = 0
  /// What these cost.
  private(set) var leftOutValue: Int64 = 0
  /// For each branch on the way to the latest call whether it is the last of its siblings.
  private(set) var rails: [Bool] = []

  private let tree: CallTree
  private let least: Int128
  /// The calls that are among the dearest; nil for all.
  private var isAmongDearest: [Bool]?
  private var open: [Call] = []
  /// How many of `open` are callees of the latest call.
  private var latestCount = 0

  init(_ tree: CallTree, limit: CallTreeReport.Limit) {
    self.tree = tree
    least = Int128(tree.nodes[0].totalValue) * Int128(limit.hundredthsOfPercent)
    if let count = limit.count, count < tree.nodes.count - 1 {
      // A caller costs no less than its callee and comes before it, so it is among these too.
      let order = tree.nodes.indices.dropFirst().sorted { first, second in
        let values = (tree.nodes[first].totalValue, tree.nodes[second].totalValue)
        return values.0 != values.1 ? values.0 > values.1 : first < second
      }
      var isAmongDearest = [Bool](repeating: false, count: tree.nodes.count)
      for node in order.prefix(count) { isAmongDearest[node] = true }
      self.isAmongDearest = isAmongDearest
    }
    openCallees(of: 0, level: 0)
  }

  /// The next call; nil after the last.
  mutating func next() -> Call? {
    guard let call = open.popLast() else { return nil }
    rails.removeSubrange(call.level...)
    if call.isBranch { rails.append(call.isLast) }
    latestCount = 0
    if call.node != 0 { openCallees(of: call.node, level: rails.count) }
    return call
  }

  /// Goes past what the latest call leads to.
  mutating func skipCallees() {
    open.removeLast(latestCount)
    latestCount = 0
  }

  private mutating func openCallees(of node: Int, level: Int) {
    var shown: [Int] = []
    // The root stands for stacks of no function.
    if node == 0, tree.nodes[0].selfValue != 0 { shown.append(0) }
    var callee = node + 1
    while callee < tree.nodes[node].end {
      let (value, end) = (tree.nodes[callee].totalValue, tree.nodes[callee].end)
      if Int128(value) * 10_000 >= least, isAmongDearest?[callee] ?? true {
        shown.append(callee)
      } else {
        leftOutCount += end - callee
        leftOutValue = leftOutValue.addingSaturating(value)
      }
      callee = end
    }
    shown.sort { first, second in
      let values = (value(first), value(second))
      // Of equal ones the first in the tree, which is ordered by name.
      return values.0 != values.1 ? values.0 > values.1 : first < second
    }
    latestCount = shown.count
    for (index, callee) in shown.enumerated().reversed() {
      open.append(
        Call(
          node: callee, isBranch: shown.count > 1, isLast: index == shown.count - 1, level: level))
    }
  }

  private func value(_ node: Int) -> Int64 {
    node == 0 ? tree.nodes[0].selfValue : tree.nodes[node].totalValue
  }
}
