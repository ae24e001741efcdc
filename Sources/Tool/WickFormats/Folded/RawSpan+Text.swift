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
    let newlines: UInt64 = 0x0a0a_0a0a_0a0a_0a0a
    while offset + 8 <= byteCount {
      // A byte of `zeros` is 0 where the text has a newline; the borrow finds the first such byte.
      let zeros = word(at: offset) ^ newlines
      let marks = (zeros &- 0x0101_0101_0101_0101) & ~zeros & 0x8080_8080_8080_8080
      if marks != 0 { return offset + UInt64(littleEndian: marks).trailingZeroBitCount / 8 }
      offset += 8
    }
    while offset < byteCount, byte(at: offset) != 0x0a { offset += 1 }
    return offset
  }

  /// The number of bytes that two ranges have in common at their start.
  func commonPrefix(_ first: Range<Int>, _ second: Range<Int>) -> Int {
    let limit = Swift.min(first.count, second.count)
    var count = 0
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

  /// A range as text, repaired where it is not UTF-8.
  func string(_ range: Range<Int>) -> String {
    let part = extracting(range)
    return unsafe part.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
