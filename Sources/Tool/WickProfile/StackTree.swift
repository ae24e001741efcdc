/// All stacks of a profile as one prefix tree: a stack is a node, its frames the path from the root.
///
/// Node 0 is the root of all stacks and has no frame. A parent's id is always smaller than its
/// children's, so a loop over the ids in descending order sees children first.
public struct StackTree: Sendable {
  /// Parent of each node; the root is its own parent.
  public private(set) var parents: [Int32] = [0]
  /// Index into `Profile.frames` of each node; −1 for the root.
  public private(set) var frames: [Int32] = [-1]
  /// Nodes by (parent, frame): an open hash table of ids, 0 where a slot is free.
  ///
  /// Its size is a power of two and at least twice the number of nodes.
  private var slots = [Int32](repeating: 0, count: 16)
  /// Differs from run to run, so that no file can be made to collide; no result depends on it.
  private static let seed: (UInt64, UInt64) = (
    .random(in: .min ... .max), .random(in: .min ... .max) | 1
  )

  /// Creates a tree with the root only.
  public init() {}

  /// Number of nodes, the root included.
  public var count: Int { parents.count }

  /// Returns the node for `frame` below `parent`, made on first use.
  ///
  /// - Precondition: `parent` is a node of this tree; ids stay below 2³¹.
  public mutating func node(parent: Int, frame: Int) -> Int {
    // The first stack below another is mostly made right after it, and mostly the one asked for.
    let next = parent + 1
    let (parent, frame) = (Int32(parent), Int32(frame))
    if next < parents.count, frames[next] == frame, parents[next] == parent { return next }
    var slot = firstSlot(parent, frame)
    while slots[slot] != 0 {
      let known = Int(slots[slot])
      if parents[known] == parent, frames[known] == frame { return known }
      slot = (slot + 1) & (slots.count - 1)
    }
    let id = parents.count
    precondition(parent >= 0 && parent < id && frame >= 0)
    slots[slot] = Int32(id)
    parents.append(parent)
    frames.append(frame)
    if 2 * id >= slots.count { grow() }
    return id
  }

  /// Where the search for a node begins.
  private func firstSlot(_ parent: Int32, _ frame: Int32) -> Int {
    let key = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: frame))
    let mixed = (key ^ Self.seed.0).multipliedFullWidth(by: Self.seed.1)
    return Int(truncatingIfNeeded: mixed.high ^ mixed.low) & (slots.count - 1)
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: 2 * slots.count)
    for id in 1..<parents.count {
      var slot = firstSlot(parents[id], frames[id])
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(id)
    }
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
