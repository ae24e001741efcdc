internal import CWickFormat

/// The tree of stacks that a segment's records refer to, and the records that grow it.
///
/// Frame ids rise by one from 0 and node ids by one from 1; node 0 is the root.
struct StackTable {
  /// A node and the frame below it.
  private struct Step: Hashable {
    var parent: UInt32
    var frame: UInt32
  }

  /// Nodes that are kept at most; with the tables' slack some 48 bytes each.
  private let nodeLimit: Int
  private var frames: [RecordedFrame: UInt32] = [:]
  private var nodes: [Step: UInt32] = [:]
  /// The address that was defined last, by module id.
  private var latestAddresses: [UInt64] = [0]
  /// The node that the next record refers to.
  private var cursor: UInt32 = 0

  init(nodeLimit: Int) {
    self.nodeLimit = nodeLimit
  }

  /// Notes that a module was given the next id.
  mutating func addModule() {
    latestAddresses.append(0)
  }

  /// Finds or grows the node of a stack.
  ///
  /// - Parameters:
  ///   - stack: Frames, leaf first.
  ///   - truncation: A mark before the outermost frame.
  ///   - output: Gets the records of what is new; the cursor stands on the node then.
  /// - Returns: The node; nil if the tree may not grow to it.
  mutating func node(
    of stack: some BidirectionalCollection<RecordedFrame>, truncation: TruncationReason?,
    _ output: inout ByteWriter
  ) -> UInt32? {
    var node: UInt32 = 0
    if let truncation {
      guard let next = child(of: node, .truncated(truncation), &output) else { return nil }
      node = next
    }
    for frame in stack.reversed() {
      guard let next = child(of: node, frame, &output) else { return nil }
      node = next
    }
    return node
  }

  /// Moves the cursor to a node.
  mutating func move(to node: UInt32, _ output: inout ByteWriter) {
    guard node != cursor else { return }
    output.record(.place, UInt64(nodes.count - Int(node)) << 1 | 1)
    cursor = node
  }

  private mutating func child(
    of node: UInt32, _ frame: RecordedFrame, _ output: inout ByteWriter
  ) -> UInt32? {
    let known = frames[frame]
    if let known, let next = nodes[Step(parent: node, frame: known)] { return next }
    guard nodes.count < nodeLimit else { return nil }
    move(to: node, &output)
    if let known {
      output.record(.node, UInt64(frames.count - 1 - Int(known)))
    } else {
      define(frame, &output)
    }
    let id = known ?? UInt32(frames.count)
    frames[frame] = id
    cursor = UInt32(nodes.count + 1)
    nodes[Step(parent: node, frame: id)] = cursor
    return cursor
  }

  private mutating func define(_ frame: RecordedFrame, _ output: inout ByteWriter) {
    let module = frame.module?.number ?? 0
    let isShort = module > 0 && frame.kind.rawValue <= RecordedFrameKind.returnAddress.rawValue
    output.record(.frame, isShort ? UInt64(module) << 1 | UInt64(frame.kind.rawValue) : 0)
    if !isShort { output.varint(UInt64(module) << 3 | UInt64(frame.kind.rawValue)) }
    output.zigzag(Int64(bitPattern: frame.address &- latestAddresses[Int(module)]))
    latestAddresses[Int(module)] = frame.address
  }
}

extension ByteWriter {
  /// Appends a record's tag.
  mutating func record(_ kind: RecordKind, _ operand: UInt64) {
    varint(operand << 2 | UInt64(kind.rawValue))
  }
}
