/// Hashes texts by their bytes, eight at a time.
struct TextHasher {
  /// Differs from run to run, so that no file can be made to collide; no result depends on it.
  private let seed = UInt64.random(in: .min ... .max) | 1
  private let checkSeed = UInt64.random(in: .min ... .max)
  private let checkFactor = UInt64.random(in: .min ... .max) | 1

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

  /// The end of the name that begins at an offset, at a semicolon or at `limit`, and two hashes of
  /// it that depend on keys of their own.
  @inline(__always)
  func name(
    _ bytes: RawSpan, from start: Int, limit: Int
  ) -> (end: Int, hash: UInt64, check: UInt32) {
    var (hash, check) = (seed, checkSeed)
    var offset = start
    while true {
      var (word, count) = (UInt64(0), limit - offset)
      if offset + 8 <= bytes.byteCount {
        word = UInt64(littleEndian: bytes.word(at: offset))
        count = min(count, word.firstPlace(of: UInt8(ascii: ";")) ?? 8)
      } else {
        count = min(count, 7)
        for place in 0..<count {
          let byte = bytes.byte(at: offset + place)
          if byte == UInt8(ascii: ";") {
            count = place
            break
          }
          word |= UInt64(byte) << UInt64(8 * place)
        }
      }
      if count < 8 {
        word &= ~(UInt64.max << UInt64(8 * count))
        let end = offset + count
        check = (check ^ word ^ UInt64(truncatingIfNeeded: end - start)) &* checkFactor
        return (
          end, finish(hash, word, end - start), UInt32(truncatingIfNeeded: check >> 32)
        )
      }
      hash = mix(hash ^ word)
      check = (check ^ word) &* checkFactor
      check ^= check >> 29
      offset += 8
    }
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
