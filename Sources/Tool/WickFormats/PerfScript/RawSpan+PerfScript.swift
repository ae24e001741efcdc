extension RawSpan {
  /// Whether the line at an offset may be a source line: perf indents it by two spaces.
  func isSourceLine(at offset: Int) -> Bool {
    offset + 3 <= byteCount && byte(at: offset) == 0x20 && byte(at: offset + 1) == 0x20
      && !byte(at: offset + 2).isSpace
  }

  /// Where the first line at or after an offset is that does not begin with a space or tab.
  func endOfIndentedLines(from offset: Int) -> Int {
    var offset = offset
    while offset < byteCount, byte(at: offset) == 0x09 || byte(at: offset) == 0x20 {
      offset = Swift.min(endOfLine(from: offset) + 1, byteCount)
    }
    return offset
  }

  /// Whether the text ends at an offset or has a blank line there.
  func isEndOfSample(at offset: Int) -> Bool {
    offset >= byteCount || byte(at: offset) == 0x0a || byte(at: offset) == 0x0d
  }
}
