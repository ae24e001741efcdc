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
  /// Functions, each once, in the order of `CallPaths`.
  public let functions: [Function]
  /// All nodes in depth-first order; the root is the first.
  public private(set) var nodes: [Node] = []

  /// Merges a column of a profile.
  ///
  /// - Parameters:
  ///   - profile: The profile; frames without a function are named by their address.
  ///   - column: Index into `profile.valueTypes`.
  public init(_ profile: Profile, column: Int = 0) {
    self.init(CallPaths(profile, columns: [column]))
  }

  /// Lays call paths out, with the values of their first column.
  public init(_ paths: CallPaths) {
    valueType = paths.valueTypes[0]
    functions = paths.functions
    nodes.reserveCapacity(paths.count)
    // The places of the paths from the root to the last one added.
    var open: [Int] = []
    var levels = 0
    var path: Int? = 0
    while let current = path {
      while open.count > max(0, (nodes.last.map(\.depth) ?? -1) + levels) {
        nodes[open.removeLast()].end = nodes.count
      }
      nodes.append(
        Node(
          function: paths.function(of: current), parent: open.last ?? 0, depth: open.count, end: 0,
          selfValue: paths.selfValues[0][current], totalValue: paths.totalValues[0][current]))
      open.append(nodes.count - 1)
      path = paths.next(after: current, levels: &levels)
    }
    for index in open { nodes[index].end = nodes.count }
  }
}
