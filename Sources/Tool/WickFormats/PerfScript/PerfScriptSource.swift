/// The line below a frame that says where in the source it is: `file:line`.
struct PerfScriptSource {
  /// Path as printed; nil where perf did not know it.
  var file: Range<Int>?
  /// From 1; 0 where it is not known.
  var line: UInt32 = 0
  /// Whether the line says that the frame's function is inlined.
  var isInlined = false

  /// Splits a line; nil where it is something else.
  ///
  /// Where perf knows no source it prints `??:0`, `:0`, `module[address]` or `symbol+offset`, which have
  /// to be one word.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - line: The line without white space at its end.
  init?(_ bytes: RawSpan, _ line: Range<Int>) {
    var text = bytes.trimmingStart(line)
    guard text.lowerBound > line.lowerBound else { return nil }
    if bytes.hasSuffix(" (inlined)", text) {
      isInlined = true
      text = bytes.trimmingEnd(text.lowerBound..<text.upperBound - 10)
    }
    if let discriminator = Self.discriminator(bytes, text) {
      text = bytes.trimmingEnd(text.lowerBound..<discriminator)
    }
    guard let last = text.last else { return nil }
    var start = text.upperBound
    while start > text.lowerBound, bytes.byte(at: start - 1).decimalDigit != nil { start -= 1 }
    if start < text.upperBound, start > text.lowerBound {
      let separator = bytes.byte(at: start - 1)
      if separator == UInt8(ascii: ":") {
        let path = text.lowerBound..<start - 1
        guard !path.isEmpty, !bytes.hasPrefix("??", path) else { return }
        file = path
        self.line = UInt32(clamping: bytes.decimal(start..<text.upperBound) ?? 0)
        return
      }
      if separator == UInt8(ascii: "+"), start - 1 > text.lowerBound, Self.isWord(bytes, text) {
        return
      }
    }
    guard bytes.byte(at: last) == UInt8(ascii: "]"), Self.isWord(bytes, text) else { return nil }
    var bracket = last - 1
    while bracket > text.lowerBound, bytes.byte(at: bracket).hexadecimalDigit != nil {
      bracket -= 1
    }
    guard bracket > text.lowerBound, bracket < last - 1,
      bytes.byte(at: bracket) == UInt8(ascii: "[")
    else { return nil }
  }

  /// Where ` (discriminator 3)` begins at the end of a text.
  private static func discriminator(_ bytes: RawSpan, _ text: Range<Int>) -> Int? {
    guard let last = text.last, bytes.byte(at: last) == UInt8(ascii: ")") else { return nil }
    var start = last
    while start > text.lowerBound, bytes.byte(at: start - 1).decimalDigit != nil { start -= 1 }
    guard start < last, bytes.hasSuffix(" (discriminator ", text.lowerBound..<start) else {
      return nil
    }
    return start - 16
  }

  private static func isWord(_ bytes: RawSpan, _ text: Range<Int>) -> Bool {
    !text.contains { bytes.byte(at: $0).isSpace }
  }
}
