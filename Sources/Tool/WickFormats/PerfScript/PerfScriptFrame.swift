/// A frame's line: `address symbol+0x12 (module)`, all but the address optional.
struct PerfScriptFrame {
  /// The frame's code, as printed.
  var address: UInt64
  /// The function's name without the offset behind it; empty where it is not known.
  var symbol: Range<Int>
  /// The module as printed, without an offset behind it; nil where it is not known.
  var module: Range<Int>?
  /// Whether the line says that the function is inlined.
  var isInlined: Bool

  /// Splits a line; nil where it does not begin with an address.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - line: The line without white space at its end.
  init?(_ bytes: RawSpan, _ line: Range<Int>) {
    let line = bytes.trimmingStart(line)
    var end = line.lowerBound
    address = 0
    while end < line.upperBound, let digit = bytes.byte(at: end).hexadecimalDigit {
      address = address << 4 | UInt64(digit)
      end += 1
    }
    guard end > line.lowerBound, end - line.lowerBound <= 16,
      end == line.upperBound || bytes.byte(at: end).isSpace
    else { return nil }
    symbol = bytes.trimmingStart(end..<line.upperBound)
    isInlined = bytes.hasSuffix(" (inlined)", symbol)
    if isInlined {
      symbol = symbol.lowerBound..<symbol.upperBound - 10
    } else if let opening = Self.moduleOpening(bytes, symbol) {
      module = Self.withoutOffset(bytes, opening + 1..<symbol.upperBound - 1)
      symbol = symbol.lowerBound..<opening
    }
    symbol = Self.withoutOffset(bytes, bytes.trimmingEnd(symbol))
    if let name = module, name.isEmpty || Self.isUnknown(bytes, name) { module = nil }
    if Self.isUnknown(bytes, symbol) { symbol = symbol.lowerBound..<symbol.lowerBound }
  }

  /// Whether the function is not one, but a remark in parentheses.
  func isRemark(_ bytes: RawSpan) -> Bool {
    guard !symbol.isEmpty, bytes.byte(at: symbol.lowerBound) == UInt8(ascii: "(") else {
      return false
    }
    return Self.opening(bytes, symbol) == symbol.lowerBound
  }

  /// The functions of a name like `outer->inlined->inlined`, outermost first.
  ///
  /// What Java agents print; not an arrow in parentheses or of an operator, nor one between spaces
  /// as in the type of a function.
  func functions(_ bytes: RawSpan) -> [Range<Int>] {
    var functions: [Range<Int>] = []
    var (start, depth) = (symbol.lowerBound, 0)
    for offset in symbol {
      switch bytes.byte(at: offset) {
      case UInt8(ascii: "("), UInt8(ascii: "<"): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: ">"):
        guard offset > start, bytes.byte(at: offset - 1) == UInt8(ascii: "-") else {
          depth -= 1
          continue
        }
        let before = start..<offset - 1
        guard depth == 0, !before.isEmpty, offset + 1 < symbol.upperBound,
          !bytes.byte(at: before.upperBound - 1).isSpace, !bytes.byte(at: offset + 1).isSpace,
          !bytes.hasSuffix("operator", before)
        else { continue }
        functions.append(before)
        start = offset + 1
      default: break
      }
    }
    functions.append(start..<symbol.upperBound)
    return functions
  }

  /// Where the parenthesis of the module is in a text that ends with it; nil where there is none.
  ///
  /// An offset before it is certain; else parentheses in names and paths are taken to be in pairs.
  private static func moduleOpening(_ bytes: RawSpan, _ text: Range<Int>) -> Int? {
    guard let last = text.last, bytes.byte(at: last) == UInt8(ascii: ")") else { return nil }
    var fallback: Int?
    for offset in text.dropFirst().reversed()
    where bytes.byte(at: offset) == UInt8(ascii: "(") && bytes.byte(at: offset - 1).isSpace {
      let before = bytes.trimmingEnd(text.lowerBound..<offset)
      if withoutOffset(bytes, before).count < before.count { return offset }
      fallback = fallback ?? offset
    }
    guard let opening = opening(bytes, text) else { return fallback }
    guard opening == text.lowerBound || bytes.byte(at: opening - 1).isSpace else { return nil }
    return opening
  }

  /// Where the parenthesis is that the last byte of a text closes.
  private static func opening(_ bytes: RawSpan, _ text: Range<Int>) -> Int? {
    guard let last = text.last, bytes.byte(at: last) == UInt8(ascii: ")") else { return nil }
    var depth = 0
    for offset in text.reversed() {
      let byte = bytes.byte(at: offset)
      if byte == UInt8(ascii: ")") { depth += 1 }
      if byte == UInt8(ascii: "(") { depth -= 1 }
      if depth == 0 { return offset }
    }
    return nil
  }

  /// A text without `+0x12` at its end.
  private static func withoutOffset(_ bytes: RawSpan, _ text: Range<Int>) -> Range<Int> {
    var start = text.upperBound
    while start > text.lowerBound, bytes.byte(at: start - 1).hexadecimalDigit != nil { start -= 1 }
    guard start < text.upperBound, bytes.hasSuffix("+0x", text.lowerBound..<start) else {
      return text
    }
    return text.lowerBound..<start - 3
  }

  private static func isUnknown(_ bytes: RawSpan, _ text: Range<Int>) -> Bool {
    text.count == 9 && bytes.hasPrefix("[unknown]", text)
  }
}
