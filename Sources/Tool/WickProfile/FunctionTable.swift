/// Functions by self and total value.
public struct FunctionTable: Sendable {
  /// One function.
  public struct Row: Hashable, Sendable {
    /// The function.
    public var function: CallTree.Function
    /// Value counted while the function itself ran.
    public var selfValue: Int64
    /// Value counted while the function was anywhere on the stack, once per stack.
    public var totalValue: Int64
  }

  /// What is counted.
  public let valueType: ValueType
  /// Sum over all stacks.
  public let total: Int64
  /// Rows by descending self value, then descending total, then name and module.
  public let rows: [Row]

  /// Sums a call tree by function; recursion counts once.
  public init(_ tree: CallTree) {
    valueType = tree.valueType
    total = tree.nodes.first?.totalValue ?? 0
    var rows = tree.functions.map { Row(function: $0, selfValue: 0, totalValue: 0) }
    // `outermostEnd[f]`: nodes before it lie below an occurrence of f that has been counted.
    var outermostEnd = [Int](repeating: 0, count: tree.functions.count)
    for (index, node) in tree.nodes.enumerated() where node.function >= 0 {
      let function = node.function
      rows[function].selfValue = rows[function].selfValue.addingSaturating(node.selfValue)
      guard index >= outermostEnd[function] else { continue }
      outermostEnd[function] = node.end
      rows[function].totalValue = rows[function].totalValue.addingSaturating(node.totalValue)
    }
    self.rows = rows.sorted { first, second in
      if first.selfValue != second.selfValue { return first.selfValue > second.selfValue }
      if first.totalValue != second.totalValue { return first.totalValue > second.totalValue }
      if first.function.name != second.function.name {
        return first.function.name < second.function.name
      }
      return first.function.module < second.function.module
    }
  }
}
