/// Where stacks of one tree stand in another: once below each root that they occur under.
struct PlacedStacks {
  /// Pairs of root and stack, as a tree of depth two.
  private var pairs = StackTree()
  /// The node of each pair; −1 where it is not known yet.
  private var nodes: [Int] = [-1]

  /// Creates the relation of a tree that holds roots only.
  init() {}

  /// Finds the node that stands for a stack below a root, made on first use.
  ///
  /// - Parameters:
  ///   - stack: Node of `source`.
  ///   - source: The tree that stacks come from.
  ///   - root: Node of the other tree.
  ///   - make: Gives the other tree's node for a frame of `source` below a parent.
  /// - Returns: The other tree's node.
  mutating func node(
    of stack: Int, in source: StackTree, below root: Int,
    make: (_ parent: Int, _ frame: Int) -> Int
  ) -> Int {
    let rootPair = pair(0, root)
    var missing: [(pair: Int, frame: Int)] = []
    var (stack, node) = (stack, root)
    while stack != 0 {
      let pair = pair(rootPair, stack)
      if nodes[pair] >= 0 {
        node = nodes[pair]
        break
      }
      missing.append((pair, Int(source.frames[stack])))
      stack = Int(source.parents[stack])
    }
    for (pair, frame) in missing.reversed() {
      node = make(node, frame)
      nodes[pair] = node
    }
    return node
  }

  private mutating func pair(_ parent: Int, _ child: Int) -> Int {
    let pair = pairs.node(parent: parent, frame: child)
    while nodes.count < pairs.count { nodes.append(-1) }
    return pair
  }
}
