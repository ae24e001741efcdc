public import WickProfile

extension Folded {
  /// Reads folded stacks into a profile of named frames, one row per line.
  ///
  /// A weight is the last number of its line, as an integer: a fraction is dropped and counted in
  /// `origin.warnings`, as are lines without a weight and comments (`# …`). A frame without a name
  /// keeps its place; only empty frames at a stack's end are dropped. Where every line ends in two
  /// numbers the text compares two profiles: the second number is the column `samples`, the first
  /// the column `before`.
  ///
  /// - Parameter bytes: The whole text; what is not UTF-8 is repaired.
  /// - Returns: The profile.
  /// - Throws: `FoldedError` if no line is a stack with a weight.
  public static func read(_ bytes: RawSpan) throws(FoldedError) -> Profile {
    var reader = FoldedReader(byteCount: bytes.byteCount)
    _ = reader.read(bytes, isLast: true)
    return try reader.finish()
  }
}
