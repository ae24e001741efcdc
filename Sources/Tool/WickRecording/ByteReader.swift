/// Reads little-endian values from bytes that nobody vouches for.
///
/// Every read checks the bounds first, advances on success and leaves the position alone on
/// failure. `offset` is where the next read begins, for error messages.
public struct ByteReader: ~Escapable {
  /// The bytes do not hold what was asked for.
  public struct OutOfBounds: Error, Equatable {
    /// Offset at which the value would have begun.
    public var offset: Int
  }

  private let bytes: RawSpan
  /// Offset of the next read from the start of the bytes.
  public private(set) var offset: Int

  /// Reads `bytes` from their start.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) {
    self.bytes = bytes
    offset = 0
  }

  /// Number of bytes not read yet.
  public var remaining: Int { bytes.byteCount - offset }

  /// Reads a fixed-width little-endian integer.
  public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self
  ) throws(OutOfBounds) -> T {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw OutOfBounds(offset: offset) }
    var value: T = 0
    for index in 0..<size {
      // The bounds are checked above.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset + index, as: UInt8.self)
      value |= T(truncatingIfNeeded: byte) << T(truncatingIfNeeded: 8 * index)
    }
    offset += size
    return value
  }

  /// Reads an unsigned LEB128 integer of at most 10 bytes; bits beyond 64 are an error.
  public mutating func varint() throws(OutOfBounds) -> UInt64 {
    var value: UInt64 = 0
    var index = offset
    var shift: UInt64 = 0
    while index < bytes.byteCount, shift < 64 {
      // The bounds are checked by the loop.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      if shift == 63, byte > 1 { break }
      value |= UInt64(byte & 0x7f) << shift
      index += 1
      if byte & 0x80 == 0 {
        offset = index
        return value
      }
      shift += 7
    }
    throw OutOfBounds(offset: offset)
  }

  /// Reads a zigzag-coded LEB128 integer.
  public mutating func zigzag() throws(OutOfBounds) -> Int64 {
    let coded = try varint()
    return Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1)
  }

  /// Takes the next `count` bytes.
  @_lifetime(copy self)
  public mutating func take(_ count: Int) throws(OutOfBounds) -> RawSpan {
    guard count >= 0, count <= remaining else { throw OutOfBounds(offset: offset) }
    let part = bytes.extracting(offset..<offset + count)
    offset += count
    return part
  }

  /// Moves past the next `count` bytes.
  public mutating func skip(_ count: Int) throws(OutOfBounds) {
    guard count >= 0, count <= remaining else { throw OutOfBounds(offset: offset) }
    offset += count
  }

  /// Reads a varint byte count and that many bytes of UTF-8, repaired where they are not.
  public mutating func string() throws(OutOfBounds) -> String {
    String(decoding: try byteArray(), as: UTF8.self)
  }

  /// Reads a varint byte count and that many bytes.
  public mutating func byteArray() throws(OutOfBounds) -> [UInt8] {
    let start = offset
    let count = try varint()
    guard count <= UInt64(remaining) else {
      offset = start
      throw OutOfBounds(offset: start)
    }
    let part = try take(Int(count))
    return (0..<part.byteCount).map { unsafe part.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
  }
}
