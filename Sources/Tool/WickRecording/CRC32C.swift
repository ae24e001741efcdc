/// The Castagnoli checksum of the recording format: reflected, init and xor-out 0xffffffff.
public struct CRC32C: Sendable {
  private var state: UInt32 = 0xffff_ffff

  /// Starts a checksum over no bytes.
  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { ~state }

  /// Appends bytes.
  public mutating func update(_ bytes: RawSpan) {
    let table = Self.table.span
    var crc = state
    var offset = 0
    while offset &+ 8 <= bytes.byteCount {
      // The bounds are checked by the loop; a table index is a slice (0…7) and a byte.
      let word = UInt64(
        littleEndian: unsafe bytes.unsafeLoadUnaligned(
          fromUncheckedByteOffset: offset, as: UInt64.self))
      let mixed = word ^ UInt64(crc)
      crc = 0
      for slice in 0..<8 {
        let byte = Int(truncatingIfNeeded: mixed >> UInt64(8 &* slice)) & 0xff
        crc ^= unsafe table[unchecked: (7 &- slice) &* 256 &+ byte]
      }
      offset &+= 8
    }
    while offset < bytes.byteCount {
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      crc = (crc >> 8) ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
      offset &+= 1
    }
    state = crc
  }

  /// The checksum of bytes that lie in one piece.
  public static func checksum(_ bytes: RawSpan) -> UInt32 {
    var crc = CRC32C()
    crc.update(bytes)
    return crc.value
  }

  /// Eight tables of 256: `table[256 × k + byte]` is the effect of a byte with k bytes after it.
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0x82f6_3b78 }
      table[byte] = crc
    }
    for index in 256..<table.count {
      let before = table[index - 256]
      table[index] = (before >> 8) ^ table[Int(before & 0xff)]
    }
    return table
  }()
}
