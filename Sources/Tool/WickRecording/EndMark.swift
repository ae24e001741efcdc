internal import CWickFormat

/// The end of a recording whose process could not write it.
public enum EndMark {
  /// Returns the chunk that closes a recording whose process was killed.
  ///
  /// - Parameter bytes: The whole recording.
  /// - Returns: Bytes to append; nil if the recording has an end or does not end with a whole chunk.
  public static func ofKilled(_ bytes: RawSpan) -> [UInt8]? {
    guard let sequence = try? nextSequence(bytes) else { return nil }
    // The reason, and no time: the latest sample tells how long it was.
    let payload = [UInt8(EndReason.killed.rawValue), 0]
    let type = ChunkType.end.rawValue
    let front = little(type) + little(UInt32(payload.count)) + little(sequence)
    return unsafe front + little(CRC32C.checksum((front + payload).span.bytes)) + payload
  }

  /// The number of the chunk that would come next; nil if the last one is an end.
  private static func nextSequence(_ bytes: RawSpan) throws(ByteReader.OutOfBounds) -> UInt32? {
    var reader = ByteReader(bytes)
    var sequence: UInt32?
    while reader.remaining > 0 {
      if SegmentHeader.mayBegin(bytes, at: reader.offset) {
        try reader.skip(12)
        let byteCount = Int(try reader.integer(UInt32.self))
        try reader.skip(byteCount - 16)
        sequence = 0
        continue
      }
      let type = try reader.integer(UInt32.self)
      let byteCount = Int(try reader.integer(UInt32.self))
      let number = try reader.integer(UInt32.self)
      try reader.skip(4)
      try reader.skip(byteCount)
      sequence = type == ChunkType.end.rawValue ? nil : number &+ 1
    }
    return sequence
  }

  private static func little(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
