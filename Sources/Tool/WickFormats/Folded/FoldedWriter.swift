internal import WickProfile

/// Writes lines in bytewise order without holding them all.
struct FoldedWriter {
  /// What a line goes on with after a stack: one more frame, or the stack's own weight.
  private struct Step {
    /// The bytes up to the next choice: `name;` or `name weight`.
    var bytes: [UInt8]
    /// The stack below, nil for a line's end.
    var node: Int?
  }

  private let tree: FoldedTree
  private var children: [[Int32]]

  init(_ tree: FoldedTree) {
    self.tree = tree
    children = Array(repeating: [], count: tree.stacks.count)
    for node in tree.stacks.parents.indices.dropFirst() {
      children[Int(tree.stacks.parents[node])].append(Int32(node))
    }
  }

  /// Walks the tree with an explicit stack, since call paths may be very deep.
  ///
  /// The steps below one stack all begin with the same bytes, and none but a line's end can be
  /// the beginning of another, so ordering the steps orders the lines.
  func write(to output: inout some TextOutputStream) {
    var open: [(step: Step, prefixCount: Int)] = []
    var line: [UInt8] = []
    func push(_ node: Int) {
      open.append(contentsOf: steps(below: node).reversed().map { ($0, line.count) })
    }
    push(0)
    while let (step, prefixCount) = open.popLast() {
      line.removeSubrange(prefixCount...)
      line.append(contentsOf: step.bytes)
      if let node = step.node {
        push(node)
      } else {
        line.append(UInt8(ascii: "\n"))
        output.write(String(decoding: line, as: UTF8.self))
      }
    }
  }

  private func steps(below node: Int) -> [Step] {
    var steps: [Step] = []
    if node == 0, tree.values[0] != 0 {
      steps.append(Step(bytes: Array(" \(tree.values[0])".utf8), node: nil))
    }
    for child in children[node] {
      let child = Int(child)
      let name = tree.names[Int(tree.stacks.frames[child])]
      if tree.values[child] != 0 {
        steps.append(Step(bytes: name + Array(" \(tree.values[child])".utf8), node: nil))
      }
      if !children[child].isEmpty {
        steps.append(Step(bytes: name + [UInt8(ascii: ";")], node: child))
      }
    }
    return steps.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }
}
