import WickProfile

/// Where the boxes of the static picture lie, in units of the tree's value.
struct FlameGraphLayout: Sendable {
  /// One box.
  struct Box: Hashable, Sendable {
    /// Node of `CallPaths`.
    var node: Int
    /// Calls between the root and this node; the root has 0.
    var depth: Int
    /// Where it starts, counted from the left edge.
    var start: Int64
    /// Its width, above 0.
    var width: Int64
  }

  /// The root's value; 0 where there is nothing to draw.
  let total: Int64
  /// The boxes drawn, callers before callees, from left to right; the root is the first.
  let boxes: [Box]
  /// Rows of boxes, the root's included.
  let rowCount: Int
  /// Call paths with a value that are narrower than the minimum, or beyond the number of boxes.
  let leftOutCount: Int

  /// Lays out a tree.
  ///
  /// - Parameters:
  ///   - paths: Any tree; what a node claims beyond its caller's value is cut off.
  ///   - widths: What decides the width of each node.
  ///   - minimumWidth: Pixels.
  ///   - pictureWidth: Pixels that the root takes.
  ///   - maximumBoxCount: At least the root is drawn; the widest are kept.
  init(
    _ paths: CallPaths, widths: [Int64], minimumWidth: Double, pictureWidth: Int,
    maximumBoxCount: Int
  ) {
    total = max(widths[0], 0)
    guard total > 0 else {
      (boxes, rowCount, leftOutCount) = ([], 0, 0)
      return
    }
    let leastWidth = max(minimumWidth, 0) * Double(total) / Double(max(pictureWidth, 1))
    var all = [Box(node: 0, depth: 0, start: 0, width: total)]
    // For each caller on the way: its next callee, where that starts, and where the caller ends.
    var open: [(next: Int?, start: Int64, end: Int64)] = [(paths.firstCallee(of: 0), 0, total)]
    while let (next, start, end) = open.last {
      guard let node = next, start < end else {
        open.removeLast()
        continue
      }
      let width = min(max(widths[node], 0), end - start)
      open[open.count - 1] = (paths.nextCallee(after: node), start + width, end)
      guard width > 0, Double(width) >= leastWidth else { continue }
      all.append(Box(node: node, depth: open.count, start: start, width: width))
      open.append((paths.firstCallee(of: node), start, start + width))
    }
    boxes = Self.widest(maximumBoxCount, of: all)
    leftOutCount = max(widths.lazy.filter { $0 > 0 }.count - boxes.count, 0)
    rowCount = 1 + (boxes.lazy.map(\.depth).max() ?? 0)
  }

  /// Keeps the widest boxes, in their order.
  ///
  /// A caller is at least as wide as its callees and less deep, so it is kept with them; among
  /// equals depth decides, so that towers lose their tops on the left as on the right.
  private static func widest(_ count: Int, of boxes: [Box]) -> [Box] {
    let count = max(count, 1)
    guard boxes.count > count else { return boxes }
    let byWidth = boxes.indices.sorted { first, second in
      let (one, other) = (boxes[first], boxes[second])
      if one.width != other.width { return one.width > other.width }
      return one.depth != other.depth ? one.depth < other.depth : first < second
    }
    return byWidth.prefix(count).sorted().map { boxes[$0] }
  }
}
