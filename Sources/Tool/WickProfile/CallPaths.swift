/// A profile's stacks merged by function: one node per call path, callees linked in the order of
/// their names.
///
/// Two frames are one function if name and module agree, whatever their addresses and lines. Node 0
/// is the root; callers have smaller ids than their callees. `CallTree` is the same, laid out.
public struct CallPaths: Sendable {
  /// What the columns count.
  public let valueTypes: [ValueType]
  /// Functions, each once, by name and then by module as `String` compares them (bytewise, but for
  /// canonically equal spellings), so that the order depends on nothing but the profile's content.
  public let functions: [CallTree.Function]
  /// `selfValues[column][node]`: value counted in this very path.
  public let selfValues: [[Int64]]
  /// `totalValues[column][node]`: value counted in this path and below.
  public private(set) var totalValues: [[Int64]]
  @usableFromInline let tree: StackTree
  /// Index into `functions` of what `tree` calls a frame.
  @usableFromInline let functionOfFrame: [Int32]
  @usableFromInline var links: [Links]

  /// Where to go from a node; 0 where there is none.
  @usableFromInline
  struct Links: Sendable {
    @usableFromInline var firstCallee: Int32 = 0
    /// Of the same caller.
    @usableFromInline var nextCallee: Int32 = 0
  }

  /// Merges columns of a profile.
  ///
  /// - Parameters:
  ///   - profile: The profile; frames without a function are named by their address.
  ///   - columns: Indices into `profile.valueTypes`; at least one.
  public init(_ profile: Profile, columns: [Int] = [0]) {
    valueTypes = columns.map { profile.valueTypes[$0] }
    let interned = Self.intern(profile)
    functions = interned.functions
    var nodes: [Int32]?
    if interned.isInjective {
      (tree, functionOfFrame) = (profile.stacks, interned.ofFrame)
    } else {
      let merged = Self.merge(profile.stacks, interned.ofFrame)
      (tree, nodes) = (merged.tree, merged.nodes)
      functionOfFrame = functions.indices.map { Int32($0) }
    }
    let count = tree.count
    selfValues = columns.map { column in
      var values = [Int64](repeating: 0, count: count)
      for (row, sample) in profile.samples.enumerated() {
        let node = nodes.map { Int($0[sample.stack]) } ?? sample.stack
        values[node] = values[node].addingSaturating(profile.columns[column][row])
      }
      return values
    }
    totalValues = selfValues
    links = [Links](repeating: Links(), count: count)
    for column in totalValues.indices { Self.sum(&totalValues[column], in: tree) }
    if !link() { order() }
  }

  /// Number of nodes, the root included.
  public var count: Int { links.count }

  /// Index into `functions` of a node; −1 for the root.
  @inlinable
  public func function(of node: Int) -> Int {
    node == 0 ? -1 : Int(functionOfFrame[Int(tree.frames[node])])
  }

  /// The caller's node; the root is its own.
  @inlinable
  public func caller(of node: Int) -> Int { Int(tree.parents[node]) }

  /// The callee whose function comes first; nil where nothing is called.
  @inlinable
  public func firstCallee(of node: Int) -> Int? {
    let callee = links[node].firstCallee
    return callee == 0 ? nil : Int(callee)
  }

  /// The next callee of the node's caller; nil behind the last.
  @inlinable
  public func nextCallee(after node: Int) -> Int? {
    let callee = links[node].nextCallee
    return callee == 0 ? nil : Int(callee)
  }

  /// Finds the node behind another in depth-first order, callers first.
  ///
  /// - Parameters:
  ///   - node: A node.
  ///   - levels: Receives how much deeper the found one is: 1 where `node` is its caller, 0 for a
  ///     sibling, negative further out.
  /// - Returns: The node; nil behind the last.
  @inlinable
  public func next(after node: Int, levels: inout Int) -> Int? {
    levels = 1
    if let callee = firstCallee(of: node) { return callee }
    levels = 0
    var node = node
    while node != 0 {
      if let sibling = nextCallee(after: node) { return sibling }
      node = caller(of: node)
      levels -= 1
    }
    return nil
  }

  // MARK: Making

  private static func intern(
    _ profile: Profile
  ) -> (functions: [CallTree.Function], ofFrame: [Int32], isInjective: Bool) {
    var ids: [CallTree.Function: Int32] = [:]
    var functions: [CallTree.Function] = []
    let modules = profile.modules.map { String($0.name) }
    let unsorted = profile.frames.map { frame in
      let function = CallTree.Function(
        name: profile.name(of: frame), module: frame.module.map { modules[$0] } ?? "")
      if let known = ids[function] { return known }
      let id = Int32(functions.count)
      functions.append(function)
      ids[function] = id
      return id
    }
    let order = functions.indices.sorted {
      (functions[$0].name, functions[$0].module) < (functions[$1].name, functions[$1].module)
    }
    var ranks = [Int32](repeating: 0, count: functions.count)
    for (rank, function) in order.enumerated() { ranks[function] = Int32(rank) }
    return (
      order.map { functions[$0] }, unsorted.map { ranks[Int($0)] },
      functions.count == profile.frames.count
    )
  }

  private static func merge(
    _ stacks: StackTree, _ functionOfFrame: [Int32]
  ) -> (tree: StackTree, nodes: [Int32]) {
    var tree = StackTree()
    var nodes = [Int32](repeating: 0, count: stacks.count)
    for node in stacks.parents.indices.dropFirst() {
      nodes[node] = Int32(
        tree.node(
          parent: Int(nodes[Int(stacks.parents[node])]),
          frame: Int(functionOfFrame[Int(stacks.frames[node])])))
    }
    tree.forgetLookup()
    return (tree, nodes)
  }

  /// Adds the value of each node to its caller's.
  private static func sum(_ values: inout [Int64], in tree: StackTree) {
    let callers = tree.parents.span
    var values = values.mutableSpan
    for node in stride(from: values.count - 1, to: 0, by: -1) {
      let (caller, value) = (Int(callers[node]), values[node])
      values[caller] = values[caller].addingSaturating(value)
    }
  }

  /// Adds each node to its caller's callees, in the order of their ids.
  ///
  /// - Returns: Whether that is the order of their functions everywhere.
  private mutating func link() -> Bool {
    let (tree, functionOfFrame) = (tree, functionOfFrame)
    let callers = tree.parents.span
    let (frames, functions) = (tree.frames.span, functionOfFrame.span)
    var links = links.mutableSpan
    var isOrdered = true
    for node in stride(from: links.count - 1, to: 0, by: -1) {
      let caller = Int(callers[node])
      let next = links[caller].firstCallee
      if next != 0, functions[Int(frames[node])] > functions[Int(frames[Int(next)])] {
        isOrdered = false
      }
      links[node].nextCallee = next
      links[caller].firstCallee = Int32(truncatingIfNeeded: node)
    }
    return isOrdered
  }

  /// Puts the callees of each node in order; most have one, or come in order.
  private mutating func order() {
    let (tree, functionOfFrame) = (tree, functionOfFrame)
    let (frames, functions) = (tree.frames.span, functionOfFrame.span)
    var callees: [(function: Int32, node: Int32)] = []
    var links = links.mutableSpan
    for caller in 0..<links.count {
      var node = links[caller].firstCallee
      guard node != 0, links[Int(node)].nextCallee != 0 else { continue }
      callees.removeAll(keepingCapacity: true)
      var isOrdered = true
      while node != 0 {
        let function = functions[Int(frames[Int(node)])]
        isOrdered = isOrdered && callees.last.map { $0.function < function } ?? true
        callees.append((function, node))
        node = links[Int(node)].nextCallee
      }
      guard !isOrdered else { continue }
      callees.sort { $0.function < $1.function }
      links[caller].firstCallee = callees[0].node
      for (one, next) in zip(callees, callees.dropFirst()) {
        links[Int(one.node)].nextCallee = next.node
      }
      links[Int(callees[callees.count - 1].node)].nextCallee = 0
    }
  }
}
