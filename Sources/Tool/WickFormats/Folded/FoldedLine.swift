internal import WickProfile

/// One line as the grammar splits it: stack, white space, one or two numbers.
struct FoldedLine {
  /// Where the stack lies in the bytes.
  var stack: Range<Int>
  /// The last number; what stands behind its point is dropped, and it is held at `Int64.max`.
  var weight: Int64
  /// Whether something other than zeros stood behind the point.
  var isCutToInteger: Bool

  /// Splits a line without its newline; nil where it does not end in a number.
  init?(_ bytes: RawSpan, _ line: Range<Int>) {
    var start = line.upperBound
    while start > line.lowerBound, !bytes.byte(at: start - 1).isSpace { start -= 1 }
    // The stack may be empty, the space before the number not missing.
    guard start > line.lowerBound, start < line.upperBound else { return nil }
    var (value, index) = (Int64(0), start)
    while index < line.upperBound, let digit = bytes.byte(at: index).decimalDigit {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      value = overflow ? .max : tens.addingSaturating(Int64(digit))
      index += 1
    }
    guard index > start else { return nil }
    isCutToInteger = false
    if index < line.upperBound {
      guard bytes.byte(at: index) == UInt8(ascii: ".") else { return nil }
      for place in index + 1..<line.upperBound {
        guard let digit = bytes.byte(at: place).decimalDigit else { return nil }
        if digit != 0 { isCutToInteger = true }
      }
    }
    weight = value
    stack = line.lowerBound..<start - 1
  }
}
