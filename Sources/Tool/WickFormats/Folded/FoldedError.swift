/// Why bytes are no folded stacks.
public enum FoldedError: Error, Equatable, Sendable {
  /// No line is a stack with a weight; `offset` is where the first line that had to be ignored
  /// begins, nil where there was none.
  case noStacks(ignoredLines: Int, offset: Int?)
}
