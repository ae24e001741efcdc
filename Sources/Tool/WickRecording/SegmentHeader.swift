internal import CWickFormat

/// A segment's header, checked.
struct SegmentHeader {
  /// "\x89WICK\r\n\x1a", `WICK_MAGIC_BYTES`.
  static let magic: [UInt8] = [0x89, 0x57, 0x49, 0x43, 0x4b, 0x0d, 0x0a, 0x1a]
  /// The part that each version has.
  static let minimumByteCount = MemoryLayout<RecordedHeader>.size

  /// Where the segment begins in the file.
  let offset: Int
  /// Where its first chunk begins in the file.
  let firstChunk: Int
  let startRealtimeNanoseconds: UInt64
  let startMonotonicNanoseconds: UInt64
  let pid: UInt32
  /// A `RecordedEngine`.
  let engine: UInt32
  let rateHertz: UInt32
  let periodNanoseconds: UInt32
  let isUserOnly: Bool

  /// Reads the header at `offset` of a file.
  init(_ file: RawSpan, at offset: Int) throws(RecordingError) {
    let bytes = file.extracting(droppingFirst: offset)
    for (index, expected) in Self.magic.enumerated() {
      guard index < bytes.byteCount else { throw .cutHeader(offset: file.byteCount) }
      guard bytes.byte(at: index) == expected else { throw .notARecording(offset: offset + index) }
    }
    var reader = ByteReader(bytes)
    let (version, byteCount, stored, computed): (UInt32, UInt32, UInt32, UInt32)
    do {
      try reader.skip(Self.magic.count)
      version = try reader.integer()
      byteCount = try reader.integer()
      startRealtimeNanoseconds = try reader.integer()
      startMonotonicNanoseconds = try reader.integer()
      pid = try reader.integer()
      engine = try reader.integer()
      try reader.skip(MemoryLayout<UInt64>.size)  // process start
      rateHertz = try reader.integer()
      periodNanoseconds = try reader.integer()
      isUserOnly = try reader.integer(UInt32.self) & UInt32(WICK_FLAG_USER_ONLY) != 0
      computed = CRC32C.checksum(bytes.extracting(first: reader.offset))
      stored = try reader.integer()
    } catch {
      throw .cutHeader(offset: file.byteCount)
    }
    guard stored == computed else { throw .damagedHeader(offset: offset) }
    guard version == UInt32(WICK_FORMAT_VERSION) else {
      throw .unsupportedVersion(version, offset: offset)
    }
    guard byteCount >= UInt32(reader.offset) else { throw .damagedHeader(offset: offset) }
    guard byteCount <= UInt64(bytes.byteCount) else { throw .cutHeader(offset: file.byteCount) }
    self.offset = offset
    firstChunk = offset + Int(byteCount)
  }

  /// Whether a header may begin at `offset`.
  ///
  /// No chunk can look like it: the magic read as a chunk's byte count is above the limit.
  static func mayBegin(_ file: RawSpan, at offset: Int) -> Bool {
    guard offset <= file.byteCount - magic.count else { return false }
    return magic.indices.allSatisfy { file.byte(at: offset + $0) == magic[$0] }
  }

  /// The first readable header at or after `offset`.
  static func next(in file: RawSpan, from offset: Int) -> SegmentHeader? {
    var offset = offset
    while offset + minimumByteCount <= file.byteCount {
      if file.byte(at: offset) == magic[0], mayBegin(file, at: offset),
        let header = try? SegmentHeader(file, at: offset)
      {
        return header
      }
      offset += 1
    }
    return nil
  }
}

extension RawSpan {
  /// The byte at an offset below `byteCount`.
  func byte(at offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
