/// The checksum of `.gnu_debuglink`: that of zlib and Ethernet.
enum CRC32 {
  /// Remainders of all bytes by the reflected polynomial 0xedb88320.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1
    }
  }

  /// The checksum of all bytes.
  static func checksum(of bytes: RawSpan) -> UInt32 {
    var sum: UInt32 = .max
    for index in 0..<bytes.byteCount {
      let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
      sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)]
    }
    return ~sum
  }
}
