extension RawSpan {
  /// Whether the line at an offset may be a source line: perf indents it by two spaces.
  func isSourceLine(at offset: Int) -> Bool {
    offset + 3 <= byteCount && byte(at: offset) == 0x20 && byte(at: offset + 1) == 0x20
      && !byte(at: offset + 2).isSpace
  }

  /// Whether the line at an offset begins with a space or tab.
  func isIndented(at offset: Int) -> Bool { byte(at: offset) == 0x09 || byte(at: offset) == 0x20 }

  /// Whether the text ends at an offset or has a blank line there.
  func isEndOfSample(at offset: Int) -> Bool {
    offset >= byteCount || byte(at: offset) == 0x0a || byte(at: offset) == 0x0d
  }
}
