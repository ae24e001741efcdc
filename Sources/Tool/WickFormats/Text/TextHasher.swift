/// Hashes texts by their bytes, eight at a time.
struct TextHasher {
  /// Differs from run to run, so that no file can be made to collide; no result depends on it.
  private let seed = UInt64.random(in: .min ... .max) | 1

  /// The hash of the text at a range.
  func hash(_ bytes: RawSpan, _ range: Range<Int>) -> UInt64 {
    var hash = seed
    var offset = range.lowerBound
    while offset + 8 <= range.upperBound {
      hash = mix(hash ^ bytes.word(at: offset))
      offset += 8
    }
    var tail: UInt64 = 0
    for place in (offset..<range.upperBound).reversed() {
      tail = tail << 8 | UInt64(bytes.byte(at: place))
    }
    return finish(hash, UInt64(littleEndian: tail), range.count)
  }

  /// The end of the line that begins at an offset, and the hash of its text without the newline.
  func line(_ bytes: RawSpan, from start: Int) -> (end: Int, hash: UInt64) {
    var hash = seed
    var offset = start
    while offset + 8 <= bytes.byteCount {
      let word = bytes.word(at: offset)
      if let place = word.firstNewline {
        let tail = UInt64(littleEndian: word) & ~(UInt64.max << UInt64(8 * place))
        let end = offset + place
        return (end, finish(hash, UInt64(littleEndian: tail), end - start))
      }
      hash = mix(hash ^ word)
      offset += 8
    }
    let end = bytes.endOfLine(from: offset)
    return (end, self.hash(bytes, start..<end))
  }

  /// The end of the name that begins at an offset, at a semicolon or at `limit`, and its hash.
  func name(_ bytes: RawSpan, from start: Int, limit: Int) -> (end: Int, hash: UInt64) {
    var hash = seed
    var offset = start
    while offset + 8 <= bytes.byteCount, offset < limit {
      let word = bytes.word(at: offset)
      let count = min(word.firstPlace(of: UInt8(ascii: ";")) ?? 8, limit - offset)
      guard count == 8 else {
        let tail = UInt64(littleEndian: word) & ~(UInt64.max << UInt64(8 * count))
        return (offset + count, finish(hash, UInt64(littleEndian: tail), offset + count - start))
      }
      hash = mix(hash ^ word)
      offset += 8
    }
    var end = offset
    while end < limit, bytes.byte(at: end) != UInt8(ascii: ";") { end += 1 }
    return (end, self.hash(bytes, start..<end))
  }

  /// The hash of what has both hashes.
  func combined(_ first: UInt64, _ second: UInt64) -> UInt64 { mix(first ^ second) }

  private func finish(_ hash: UInt64, _ tail: UInt64, _ count: Int) -> UInt64 {
    mix(mix(hash ^ tail) ^ UInt64(truncatingIfNeeded: count))
  }

  private func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: seed)
    return product.high ^ product.low
  }
}
