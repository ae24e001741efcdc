/// Collects bytes in the coding of `wick_format.h`; `ByteReader` reads them back.
struct ByteWriter {
  /// What was written so far.
  private(set) var bytes: [UInt8] = []

  /// The same, to be read.
  var span: RawSpan {
    @_lifetime(borrow self)
    borrowing get { unsafe bytes.span.bytes }
  }

  /// Number of bytes so far.
  var count: Int { bytes.count }

  /// Appends a fixed-width little-endian integer.
  mutating func integer<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: shift)))
    }
  }

  /// Appends an unsigned LEB128 integer.
  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends a zigzag-coded LEB128 integer.
  mutating func zigzag(_ value: Int64) {
    varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Appends bytes as they are.
  mutating func append(_ other: some Sequence<UInt8>) {
    bytes.append(contentsOf: other)
  }

  /// Appends a varint byte count and bytes.
  mutating func blob(_ value: some Collection<UInt8>) {
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Appends a varint byte count and UTF-8, cut after `limit` bytes.
  mutating func string(_ value: String, limit: Int = 4096) {
    blob(value.utf8.prefix(limit))
  }
}
