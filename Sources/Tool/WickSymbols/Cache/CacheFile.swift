/// The file of an index: a header, and the index as it is in memory.
///
/// ```
///  "WickSymb" │ version │ words of the whole file │ checksum (2) │ bytes of the build-id │
///  build-id (16 words, zeros behind) │ index
/// ```
enum CacheFile {
  private static let magic: [UInt32] = [0x6b63_6957, 0x626d_7953]
  private static let version: UInt32 = 2
  private static let headerCount = 23
  private static let longestID = 64

  /// What stands in front of an index.
  static func header(of index: SourceIndex, buildID: [UInt8]) -> [UInt32] {
    let content = index.content
    let checksum = checksum(of: content.bytes)
    var header = magic
    header += [version, UInt32(truncatingIfNeeded: headerCount + content.count)]
    header += [UInt32(truncatingIfNeeded: checksum), UInt32(truncatingIfNeeded: checksum >> 32)]
    return header + words(of: buildID)
  }

  private static func words(of buildID: [UInt8]) -> [UInt32] {
    var words = [UInt32](repeating: 0, count: 17)
    words[0] = UInt32(buildID.count)
    for (index, byte) in buildID.prefix(longestID).enumerated() {
      words[1 + index / 4] |= UInt32(byte) << UInt32(8 * (index % 4))
    }
    return words
  }

  /// The index in a file; nil for a file that is damaged or of another module or version.
  static func index(in words: IndexWords, of buildID: [UInt8]) -> SourceIndex? {
    let start = magic + [version, UInt32(truncatingIfNeeded: words.count)]
    for (index, word) in start.enumerated() where words[index] != word { return nil }
    for (index, word) in Self.words(of: buildID).enumerated() where words[6 + index] != word {
      return nil
    }
    let checksum = UInt64(words[4]) | UInt64(words[5]) << 32
    guard checksum == Self.checksum(of: words.bytes(headerCount * 4..<words.count * 4)) else {
      return nil
    }
    return SourceIndex(kept: words, at: headerCount)
  }

  /// Four sums at a time, as one would wait for its multiplications; against accidents, not
  /// against forgers.
  private static func checksum(of bytes: RawSpan) -> UInt64 {
    let factor: UInt64 = 0x9e37_79b9_7f4a_7c15
    var sums: (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, UInt64(bytes.byteCount))
    var offset = 0
    while offset + 32 <= bytes.byteCount {
      // The loop checks the bounds.
      unsafe bytes.withUnsafeBytes { memory in
        func word(_ index: Int) -> UInt64 {
          unsafe memory.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self)
        }
        sums.0 = (sums.0 ^ word(0)) &* factor
        sums.1 = (sums.1 ^ word(1)) &* factor
        sums.2 = (sums.2 ^ word(2)) &* factor
        sums.3 = (sums.3 ^ word(3)) &* factor
        sums.0 ^= sums.0 >> 31
        sums.1 ^= sums.1 >> 31
        sums.2 ^= sums.2 >> 31
        sums.3 ^= sums.3 >> 31
      }
      offset += 32
    }
    var sum = (sums.0 ^ sums.1 &* factor) &* factor ^ (sums.2 ^ sums.3 &* factor)
    while offset < bytes.byteCount {
      let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      sum = (sum ^ UInt64(byte)) &* factor
      offset += 1
    }
    return sum ^ sum >> 29
  }
}
