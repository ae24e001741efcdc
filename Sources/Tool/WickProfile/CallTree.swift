/// A profile's stacks merged by function: one node per call path.
///
/// Two frames are one function if name and module agree, whatever their addresses and lines.
/// Nodes lie in depth-first order, children by name and then by module as `String` compares them
/// (bytewise, but for canonically equal spellings), so the order depends on nothing but the
/// profile's content.
public struct CallTree: Sendable {
  /// A function as the tree and reports know it.
  public struct Function: Hashable, Sendable {
    /// Name as shown.
    public var name: String
    /// The module's name (its path's last component); empty where not known.
    public var module: String

    /// Creates a function.
    public init(name: String, module: String) {
      self.name = name
      self.module = module
    }
  }

  /// One call path.
  public struct Node: Hashable, Sendable {
    /// Index into `functions`; −1 for the root.
    public var function: Int
    /// Index of the caller's node; the root is its own parent.
    public var parent: Int
    /// Calls between the root and this node; the root has 0.
    public var depth: Int
    /// Index one past this node's last descendant.
    public var end: Int
    /// Value counted in this very path.
    public var selfValue: Int64
    /// Value counted in this path and below.
    public var totalValue: Int64
  }

  /// What is counted.
  public let valueType: ValueType
  /// Functions, each once.
  public private(set) var functions: [Function] = []
  /// All nodes in depth-first order; the root is the first.
  public private(set) var nodes: [Node] = []

  /// Merges a column of a profile.
  ///
  /// - Parameters:
  ///   - profile: The profile; frames without a function are named by their address.
  ///   - column: Index into `profile.valueTypes`.
  public init(_ profile: Profile, column: Int = 0) {
    valueType = profile.valueTypes[column]
    let functionOfFrame = internFunctions(of: profile)
    var merged = StackTree()
    var mergedNode = [Int](repeating: 0, count: profile.stacks.count)
    for node in profile.stacks.parents.indices.dropFirst() {
      let parent = mergedNode[Int(profile.stacks.parents[node])]
      let function = functionOfFrame[Int(profile.stacks.frames[node])]
      mergedNode[node] = merged.node(parent: parent, frame: function)
    }
    var selfValues = [Int64](repeating: 0, count: merged.count)
    for (row, sample) in profile.samples.enumerated() {
      let node = mergedNode[sample.stack]
      selfValues[node] = selfValues[node].addingSaturating(profile.columns[column][row])
    }
    layOut(merged, selfValues: selfValues)
  }

  private mutating func internFunctions(of profile: Profile) -> [Int] {
    var ids: [Function: Int] = [:]
    return profile.frames.map { frame in
      let module = frame.module.map { String(profile.modules[$0].name) } ?? ""
      let function = Function(name: profile.name(of: frame), module: module)
      if let known = ids[function] { return known }
      functions.append(function)
      ids[function] = functions.count - 1
      return functions.count - 1
    }
  }

  /// Fills `nodes` from a merged tree, with an explicit stack: call paths may be very deep.
  private mutating func layOut(_ tree: StackTree, selfValues: [Int64]) {
    var totals = selfValues
    var children = [[Int]](repeating: [], count: tree.count)
    for node in tree.parents.indices.dropFirst().reversed() {
      let parent = Int(tree.parents[node])
      totals[parent] = totals[parent].addingSaturating(totals[node])
      children[parent].append(node)
    }
    let rank = nameRanks()
    nodes.reserveCapacity(tree.count)
    var open: [(node: Int, parent: Int)] = [(0, 0)]
    while let (node, parent) = open.popLast() {
      let index = nodes.count
      nodes.append(
        Node(
          function: Int(tree.frames[node]), parent: parent,
          depth: node == 0 ? 0 : nodes[parent].depth + 1, end: 0,
          selfValue: selfValues[node], totalValue: totals[node]))
      // Last in, first out: the smallest name is pushed last.
      let ordered = children[node].sorted {
        rank[Int(tree.frames[$0])] > rank[Int(tree.frames[$1])]
      }
      open.append(contentsOf: ordered.map { ($0, index) })
    }
    for index in nodes.indices.reversed() {
      nodes[index].end = max(nodes[index].end, index + 1)
      let parent = nodes[index].parent
      if index != 0 { nodes[parent].end = max(nodes[parent].end, nodes[index].end) }
    }
  }

  /// The place of each function in the order of (name, module).
  ///
  /// Strings compare by canonical equivalence, here as in the dictionaries that made them one.
  private func nameRanks() -> [Int] {
    let order = functions.indices.sorted {
      (functions[$0].name, functions[$0].module) < (functions[$1].name, functions[$1].module)
    }
    var ranks = [Int](repeating: 0, count: functions.count)
    for (rank, function) in order.enumerated() { ranks[function] = rank }
    return ranks
  }
}
