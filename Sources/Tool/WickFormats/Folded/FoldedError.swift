/// Why bytes are no folded stacks.
public enum FoldedError: Error, Equatable, Sendable {
  /// No line is a stack with a weight; `firstLine` is the number of the first line that had to be
  /// ignored, from 1, nil where there was none.
  case noStacks(ignoredLines: Int, firstLine: Int?)
}
