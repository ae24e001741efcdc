/// All stacks of a profile as one prefix tree: a stack is a node, its frames the path from the root.
///
/// Node 0 is the root of all stacks and has no frame. A parent's id is always smaller than its
/// children's, so a loop over the ids in descending order sees children first.
public struct StackTree: Sendable {
  /// Parent of each node; the root is its own parent.
  public private(set) var parents: [Int32] = [0]
  /// Index into `Profile.frames` of each node; −1 for the root.
  public private(set) var frames: [Int32] = [-1]
  private var children: [UInt64: Int32] = [:]

  /// Creates a tree with the root only.
  public init() {}

  /// Number of nodes, the root included.
  public var count: Int { parents.count }

  /// Returns the node for `frame` below `parent`, made on first use.
  ///
  /// - Precondition: `parent` is a node of this tree; ids stay below 2³¹.
  public mutating func node(parent: Int, frame: Int) -> Int {
    let key = UInt64(UInt32(parent)) << 32 | UInt64(UInt32(frame))
    if let known = children[key] { return Int(known) }
    let id = parents.count
    parents.append(Int32(parent))
    frames.append(Int32(frame))
    children[key] = Int32(id)
    return id
  }

  /// The frame indices of a stack, leaf first.
  public func framesLeafFirst(of node: Int) -> [Int] {
    var path: [Int] = []
    var node = node
    while node != 0 {
      path.append(Int(frames[node]))
      node = Int(parents[node])
    }
    return path
  }
}
