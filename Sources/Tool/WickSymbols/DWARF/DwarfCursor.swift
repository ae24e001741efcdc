/// Reads DWARF data from bytes that nobody vouches for.
///
/// A read beyond the end gives 0, moves to the end and is remembered in `isDamaged`, so that loops
/// that run to the end stop by themselves and need no error path for each value.
struct DwarfCursor: ~Escapable {
  private let bytes: RawSpan
  /// Offset of the next read; never above `end`.
  private(set) var offset: Int
  /// Where reading ends; never above the number of bytes.
  private(set) var end: Int
  /// Whether something was asked for that is not there.
  private(set) var isDamaged = false

  /// Reads from an offset up to the end of the bytes, or to `end` if that is before.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, at offset: UInt64 = 0, end: UInt64 = .max) {
    self.bytes = bytes
    self.end = Int(min(end, UInt64(bytes.byteCount)))
    self.offset = Int(min(offset, UInt64(self.end)))
    isDamaged = offset > UInt64(self.end)
  }

  var remaining: Int { end &- offset }
  var isAtEnd: Bool { offset == end }

  private mutating func fail() -> UInt64 {
    isDamaged = true
    offset = end
    return 0
  }

  /// Says that what was read makes no sense, which ends the reading.
  mutating func giveUp() { _ = fail() }

  /// Goes elsewhere; to the end if the place is outside.
  mutating func move(to place: UInt64) {
    if place <= UInt64(end) { offset = Int(place) } else { giveUp() }
  }

  mutating func skip(_ count: UInt64) {
    if count <= UInt64(remaining) { offset &+= Int(count) } else { giveUp() }
  }

  @inline(__always)
  private mutating func fixed<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T {
    guard remaining >= MemoryLayout<T>.size else { return T(truncatingIfNeeded: fail()) }
    // The bounds are checked above, and `end` is within the bytes.
    let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: type)
    offset &+= MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  @inline(__always) mutating func byte() -> UInt8 { fixed(UInt8.self) }
  @inline(__always) mutating func half() -> UInt64 { UInt64(fixed(UInt16.self)) }
  @inline(__always) mutating func word() -> UInt64 { UInt64(fixed(UInt32.self)) }
  @inline(__always) mutating func double() -> UInt64 { fixed(UInt64.self) }

  /// Three bytes.
  mutating func threeBytes() -> UInt64 { half() | UInt64(byte()) << 16 }

  /// An integer of 1, 2, 4 or 8 bytes.
  mutating func integer(byteCount: UInt8) -> UInt64 {
    switch byteCount {
    case 1: UInt64(byte())
    case 2: half()
    case 4: word()
    case 8: double()
    default: fail()
    }
  }

  /// An offset into a section, which has 8 bytes in the 64-bit format.
  @inline(__always) mutating func sectionOffset(is64Bit: Bool) -> UInt64 {
    is64Bit ? double() : word()
  }

  /// The length at the start of a table, and whether it says that the table is in the 64-bit format.
  mutating func initialLength() -> (byteCount: UInt64, is64Bit: Bool) {
    let length = word()
    if length == 0xffff_ffff { return (double(), true) }
    // The values before are reserved.
    if length >= 0xffff_fff0 { return (fail(), false) }
    return (length, false)
  }

  /// An unsigned LEB128 number; bits above the 64th are lost.
  @inline(__always) mutating func unsigned() -> UInt64 {
    let first = byte()
    return first < 0x80 ? UInt64(first) : longUnsigned(first)
  }

  private mutating func longUnsigned(_ first: UInt8) -> UInt64 {
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    while true {
      let next = byte()
      if shift < 64 { value |= UInt64(next & 0x7f) << shift }
      if next < 0x80 { return value }
      shift &+= 7
    }
  }

  /// A signed LEB128 number; bits above the 64th are lost.
  mutating func signed() -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = byte()
      if shift < 64 { value |= UInt64(next & 0x7f) << shift }
      shift &+= 7
      if next < 0x80 {
        if next & 0x40 != 0, shift < 64 { value |= .max << shift }
        return Int64(bitPattern: value)
      }
    }
  }

  /// Moves behind a LEB128 number.
  @inline(__always) mutating func skipNumber() {
    while byte() >= 0x80 {}
  }

  /// Moves behind a text and its NUL; returns the number of its bytes.
  mutating func text() -> Int {
    let start = offset
    while offset < end {
      // The loop checks the bounds.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      offset &+= 1
      if byte == 0 { return offset &- start &- 1 }
    }
    isDamaged = true
    return offset &- start
  }
}
