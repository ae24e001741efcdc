/// Integers as LEB128 without sign.
struct VarintColumn {
  private(set) var bytes: [UInt8] = []

  /// Creates an empty column with room for so many bytes.
  init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  /// Appends an integer.
  @inline(__always)
  mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a byte as it is.
  mutating func append(byte: UInt8) { bytes.append(byte) }
}
