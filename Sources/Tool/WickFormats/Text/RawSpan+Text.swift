// Access without a check of the bounds, for loops that have made it: reading text is all loops.

extension RawSpan {
  /// The byte at an offset that is known to be below `byteCount`.
  func byte(at offset: Int) -> UInt8 {
    assert(offset >= 0 && offset < byteCount)
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// The eight bytes at an offset that is known to be at most `byteCount` − 8.
  func word(at offset: Int) -> UInt64 {
    assert(offset >= 0 && offset + 8 <= byteCount)
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
  }

  /// The offset of the next newline at or after `offset`, or `byteCount`.
  func endOfLine(from offset: Int) -> Int {
    var offset = offset
    while offset + 8 <= byteCount {
      if let place = word(at: offset).firstNewline { return offset + place }
      offset += 8
    }
    while offset < byteCount, byte(at: offset) != 0x0a { offset += 1 }
    return offset
  }

  /// The number of the line at an offset, from 1.
  func lineNumber(at offset: Int) -> Int {
    var (line, start) = (1, 0)
    while true {
      let end = endOfLine(from: start)
      if end >= offset { return line }
      (line, start) = (line + 1, end + 1)
    }
  }

  /// The range without white space at its end, such as a carriage return.
  func trimmingEnd(_ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound, byte(at: end - 1).isSpace { end -= 1 }
    return range.lowerBound..<end
  }

  /// The range without white space at its start.
  func trimmingStart(_ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    while start < range.upperBound, byte(at: start).isSpace { start += 1 }
    return start..<range.upperBound
  }

  /// The decimal number that a range is, held at the type's bound; nil where it is none.
  func decimal(_ range: Range<Int>) -> UInt64? {
    guard !range.isEmpty else { return nil }
    var value: UInt64 = 0
    for offset in range {
      guard let digit = byte(at: offset).decimalDigit else { return nil }
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, isOverflow) = tens.addingReportingOverflow(UInt64(digit))
      value = isTooLarge || isOverflow ? .max : sum
    }
    return value
  }

  /// Whether a range begins with the bytes of a text.
  func hasPrefix(_ text: StaticString, _ range: Range<Int>) -> Bool {
    let count = text.utf8CodeUnitCount
    guard count <= range.count else { return false }
    return has(text, at: range.lowerBound)
  }

  /// Whether a range ends with the bytes of a text.
  func hasSuffix(_ text: StaticString, _ range: Range<Int>) -> Bool {
    let count = text.utf8CodeUnitCount
    guard count <= range.count else { return false }
    return has(text, at: range.upperBound - count)
  }

  private func has(_ text: StaticString, at offset: Int) -> Bool {
    text.withUTF8Buffer { text in
      for index in 0..<text.count {
        guard unsafe byte(at: offset + index) == text[index] else { return false }
      }
      return true
    }
  }

  /// The number of bytes that two ranges have in common at their start.
  func commonPrefix(_ first: Range<Int>, _ second: Range<Int>) -> Int {
    let limit = Swift.min(first.count, second.count)
    var count = 0
    while count + 32 <= limit {
      let (one, other) = (first.lowerBound + count, second.lowerBound + count)
      let low = (word(at: one) ^ word(at: other)) | (word(at: one + 8) ^ word(at: other + 8))
      let high =
        (word(at: one + 16) ^ word(at: other + 16)) | (word(at: one + 24) ^ word(at: other + 24))
      guard low | high == 0 else { break }
      count += 32
    }
    while count + 8 <= limit {
      let difference = word(at: first.lowerBound + count) ^ word(at: second.lowerBound + count)
      guard difference == 0 else {
        return count + UInt64(littleEndian: difference).trailingZeroBitCount / 8
      }
      count += 8
    }
    while count < limit,
      byte(at: first.lowerBound + count) == byte(at: second.lowerBound + count)
    {
      count += 1
    }
    return count
  }

  /// Whether two ranges hold the same bytes.
  func areEqual(_ first: Range<Int>, _ second: Range<Int>) -> Bool {
    let count = first.count
    guard count == second.count else { return false }
    guard count >= 8 else { return commonPrefix(first, second) == count }
    var offset = 0
    while offset + 8 <= count {
      guard word(at: first.lowerBound + offset) == word(at: second.lowerBound + offset) else {
        return false
      }
      offset += 8
    }
    // The last eight bytes, of which some were compared already.
    return word(at: first.upperBound - 8) == word(at: second.upperBound - 8)
  }

  /// A range as text, repaired where it is not UTF-8.
  func string(_ range: Range<Int>) -> String {
    let part = extracting(range)
    return unsafe part.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension UInt64 {
  /// The place of the first newline among eight bytes, in the order in which they are stored.
  var firstNewline: Int? { firstPlace(of: 0x0a) }

  /// The place of the first such byte among eight, in the order in which they are stored.
  func firstPlace(of byte: UInt8) -> Int? {
    // A byte of `zeros` is 0 where the text has the byte; the borrow finds the first such one.
    let zeros = UInt64(littleEndian: self) ^ (UInt64(byte) &* 0x0101_0101_0101_0101)
    let marks = (zeros &- 0x0101_0101_0101_0101) & ~zeros & 0x8080_8080_8080_8080
    return marks == 0 ? nil : marks.trailingZeroBitCount / 8
  }
}

extension UInt8 {
  /// Whether the byte is ASCII white space.
  var isSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0d) }

  /// The value of a decimal digit.
  var decimalDigit: UInt8? { self >= 0x30 && self <= 0x39 ? self - 0x30 : nil }

  /// The value of a hexadecimal digit.
  var hexadecimalDigit: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x41 + 10
    case 0x61...0x66: self - 0x61 + 10
    default: nil
    }
  }
}
