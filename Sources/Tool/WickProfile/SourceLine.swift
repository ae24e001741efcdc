/// A line of a source file.
public struct SourceLine: Hashable, Sendable {
  /// Path as recorded; nil where it is not known.
  public var file: String?
  /// From 1; 0 where it is not known.
  public var line: UInt32

  /// Creates a line.
  public init(file: String?, line: UInt32) {
    self.file = file
    self.line = line
  }

  /// The line of a frame; without a file there is no line either.
  public init(_ frame: Frame) {
    let isKnown = frame.file?.isEmpty == false
    self.init(file: isKnown ? frame.file : nil, line: isKnown ? frame.line : 0)
  }
}

extension SourceLine: Comparable {
  /// By file and line; what is not known comes last.
  public static func < (first: SourceLine, second: SourceLine) -> Bool {
    if first.file != second.file {
      guard let one = first.file else { return false }
      guard let other = second.file else { return true }
      return one < other
    }
    return first.line < second.line
  }
}
