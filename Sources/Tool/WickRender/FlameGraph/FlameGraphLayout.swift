import WickProfile

/// Where the boxes of a flame graph lie, in units of the tree's value.
struct FlameGraphLayout: Sendable {
  /// One box.
  struct Box: Hashable, Sendable {
    /// Index into `CallTree.nodes`.
    var node: Int
    /// Where it starts, counted from the left edge.
    var start: Int64
    /// Its width, above 0.
    var width: Int64
  }

  /// Pixels of the static picture, of its margins, and between them for the boxes.
  static let pictureWidth = 1200
  static let margin = 12
  static let boxesWidth = pictureWidth - 2 * margin

  /// The root's value; 0 where there is nothing to draw.
  let total: Int64
  /// The boxes drawn, callers before callees, from left to right; the root is the first.
  let boxes: [Box]
  /// Rows of boxes, the root's included.
  let rowCount: Int
  /// Call paths that are narrower than the minimum.
  let narrowCount: Int
  /// Call paths that are wide enough but beyond the number of boxes allowed.
  let surplusCount: Int

  /// Lays out a tree.
  ///
  /// - Parameters:
  ///   - tree: Any tree; what a node claims beyond its caller's value is cut off.
  ///   - minimumWidth: Pixels.
  ///   - maximumBoxCount: At least the root is drawn.
  init(_ tree: CallTree, minimumWidth: Double, maximumBoxCount: Int) {
    let nodes = tree.nodes
    total = max(nodes.first?.totalValue ?? 0, 0)
    guard total > 0 else {
      (boxes, rowCount, narrowCount, surplusCount) = ([], 0, 0, 0)
      return
    }
    let leastValue = max(minimumWidth, 0) * Double(total) / Double(Self.boxesWidth)
    // `cursors[n]`: where the next callee of node n starts; `ends[n]`: where node n ends.
    var cursors = [Int64](repeating: 0, count: nodes.count)
    var ends = [Int64](repeating: 0, count: nodes.count)
    var all: [Box] = []
    var narrow = 0
    ends[0] = total
    for (index, node) in nodes.enumerated() {
      let start = index == 0 ? 0 : cursors[node.parent]
      let room = index == 0 ? total : ends[node.parent] - start
      let width = min(max(node.totalValue, 0), room)
      cursors[index] = start
      ends[index] = start + width
      if index != 0 { cursors[node.parent] = start + width }
      guard width > 0 else { continue }
      guard index == 0 || Double(width) >= leastValue else {
        narrow += 1
        continue
      }
      all.append(Box(node: index, start: start, width: width))
    }
    boxes = Self.widest(maximumBoxCount, of: all, in: tree)
    narrowCount = narrow
    surplusCount = all.count - boxes.count
    rowCount = 1 + (boxes.lazy.map { nodes[$0.node].depth }.max() ?? 0)
  }

  /// Keeps the widest boxes, in their order.
  ///
  /// A caller is at least as wide as its callees and less deep, so it is kept with them; among
  /// equals depth decides, so that towers lose their tops on the left as on the right.
  private static func widest(_ count: Int, of boxes: [Box], in tree: CallTree) -> [Box] {
    let count = max(count, 1)
    guard boxes.count > count else { return boxes }
    let byWidth = boxes.sorted { first, second in
      if first.width != second.width { return first.width > second.width }
      let (firstDepth, secondDepth) = (tree.nodes[first.node].depth, tree.nodes[second.node].depth)
      return firstDepth != secondDepth ? firstDepth < secondDepth : first.node < second.node
    }
    return byWidth.prefix(count).sorted { $0.node < $1.node }
  }
}
