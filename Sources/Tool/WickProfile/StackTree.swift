/// All stacks of a profile as one prefix tree: a stack is a node, its frames the path from the root.
///
/// Node 0 is the root of all stacks and has no frame. A parent's id is always smaller than its
/// children's, so a loop over the ids in descending order sees children first.
public struct StackTree: Sendable {
  /// What finds a node's children.
  private struct Links: Sendable {
    /// The newest child; 0 where there is none.
    var newestChild: Int32 = 0
    /// The child of the same parent that was made before; 0 where there is none.
    var olderSibling: Int32 = 0
  }

  /// Parent of each node; the root is its own parent.
  public private(set) var parents: [Int32] = [0]
  /// Index into `Profile.frames` of each node; −1 for the root.
  public private(set) var frames: [Int32] = [-1]
  /// Empty once forgotten.
  private var links = [Links()]
  /// Nodes of parents with many children, by (parent, frame): an open hash table of ids, 0 where a
  /// slot is free; its size is a power of two and at least twice the number of such nodes.
  private var slots: [Int32] = []
  private var slottedCount = 0
  /// A parent with so many children has them in `slots`; the few of others are looked through.
  private static let listLimit = 6
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
    if links.isEmpty { rememberLookup() }
    let wanted = Int32(frame)
    // The first stack below another is mostly made right after it, and mostly the one asked for.
    let next = parent + 1
    if next < parents.count, frames[next] == wanted, parents[next] == Int32(parent) { return next }
    var child = links[parent].newestChild
    var seen = 0
    while child != 0, seen < Self.listLimit {
      if frames[Int(child)] == wanted { return Int(child) }
      child = links[Int(child)].olderSibling
      seen += 1
    }
    if seen == Self.listLimit, let known = slotted(Int32(parent), wanted) { return known }
    let id = parents.count
    precondition(parent < id && frame >= 0)
    parents.append(Int32(parent))
    frames.append(wanted)
    addLink(id, parent: parent, siblingCount: seen)
    return id
  }

  /// Makes room for nodes, so that it need not be made, and all be moved there, by and by.
  public mutating func reserveCapacity(_ nodeCount: Int) {
    parents.reserveCapacity(nodeCount)
    frames.reserveCapacity(nodeCount)
    links.reserveCapacity(nodeCount)
  }

  /// Frees what finds nodes; they are found again at the price of their number.
  public mutating func forgetLookup() { (links, slots) = ([], []) }

  private mutating func rememberLookup() {
    (links, slots, slottedCount) = ([Links()], [], 0)
    links.reserveCapacity(count)
    var counts = [Int32](repeating: 0, count: count)
    for id in 1..<max(count, 1) {
      let parent = Int(parents[id])
      addLink(id, parent: parent, siblingCount: min(Int(counts[parent]), Self.listLimit))
      counts[parent] += 1
    }
  }

  /// Makes the newest node found below its parent, which has `siblingCount` children or more.
  private mutating func addLink(_ id: Int, parent: Int, siblingCount: Int) {
    links.append(Links(olderSibling: links[parent].newestChild))
    links[parent].newestChild = Int32(id)
    if siblingCount == Self.listLimit {
      addSlot(id)
    } else if siblingCount + 1 == Self.listLimit {
      var child = Int32(id)
      while child != 0 {
        addSlot(Int(child))
        child = links[Int(child)].olderSibling
      }
    }
  }

  /// The child of a parent with many.
  private func slotted(_ parent: Int32, _ frame: Int32) -> Int? {
    var slot = firstSlot(parent, frame)
    while slots[slot] != 0 {
      let known = Int(slots[slot])
      if parents[known] == parent, frames[known] == frame { return known }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private mutating func addSlot(_ id: Int) {
    slottedCount += 1
    if 2 * slottedCount >= slots.count {
      let old = slots
      slots = [Int32](repeating: 0, count: max(2 * slots.count, 64))
      for id in old where id != 0 { fillSlot(Int(id)) }
    }
    fillSlot(id)
  }

  private mutating func fillSlot(_ id: Int) {
    var slot = firstSlot(parents[id], frames[id])
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(id)
  }

  /// Where the search for a node begins.
  private func firstSlot(_ parent: Int32, _ frame: Int32) -> Int {
    let key = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: frame))
    let mixed = (key ^ Self.seed.0).multipliedFullWidth(by: Self.seed.1)
    return Int(truncatingIfNeeded: mixed.high ^ mixed.low) & (slots.count - 1)
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
