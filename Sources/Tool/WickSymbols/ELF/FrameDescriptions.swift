internal import WickRecording

/// Reads which address ranges are functions from `.eh_frame`, the unwind information that stays
/// when a file is stripped.
///
/// The layout is that of the Linux Standard Base 5.0, "Exception Frames" (after DWARF's
/// `.debug_frame`): records of a length and a CIE pointer, which is 0 for a CIE.
struct FrameDescriptions {
  /// `.eh_frame` as read, which began at `address` when loaded.
  private let address: UInt64
  /// Pointer encodings of CIEs by their offset; nil for a CIE that cannot be used.
  private var encodings: [Int: UInt8?] = [:]
  /// Code ranges found.
  private(set) var ranges: [Range<UInt64>] = []
  /// Offset of each range's record.
  private(set) var offsets: [Int] = []

  /// Scans a section from its start to its terminator or to the first damage.
  ///
  /// - Parameters:
  ///   - bytes: The section; more bytes may follow its terminator.
  ///   - address: Its ELF virtual address.
  init(_ bytes: RawSpan, address: UInt64) {
    self.address = address
    var reader = ByteReader(bytes)
    while case let start = reader.offset, let record = try? Self.record(&reader),
      record.end > record.body
    {
      addFunction(bytes, record, at: start)
      guard (try? reader.skip(record.end - reader.offset)) != nil else { return }
    }
  }

  private struct Record {
    /// Offset of the CIE pointer, and of the byte after the record.
    var body: Int
    var end: Int
    /// The CIE pointer: 0, or the distance back from itself to the CIE.
    var ciePointer: UInt32
  }

  private static func record(
    _ reader: inout ByteReader
  ) throws(ByteReader.OutOfBounds) -> Record? {
    var length = UInt64(try reader.integer(UInt32.self))
    if length == 0xffff_ffff { length = try reader.integer(UInt64.self) }
    let body = reader.offset
    guard length > 0 else { return Record(body: body, end: body, ciePointer: 0) }
    guard length >= 4, length <= UInt64(reader.remaining) else { return nil }
    return Record(body: body, end: body + Int(length), ciePointer: try reader.integer())
  }

  private mutating func addFunction(_ bytes: RawSpan, _ record: Record, at offset: Int) {
    guard record.ciePointer != 0, Int(record.ciePointer) <= record.body else { return }
    let cie = record.body - Int(record.ciePointer)
    let encoding: UInt8?
    if let known = encodings[cie] {
      encoding = known
    } else {
      encoding = try? Self.encoding(bytes, cie: cie)
      encodings[cie] = .some(encoding)
    }
    guard let encoding else { return }
    var reader = ByteReader(bytes.extracting(0..<record.end))
    guard (try? reader.skip(record.body + 4)) != nil,
      let start = try? Self.pointer(&reader, encoding: encoding, base: address),
      let byteCount = try? Self.pointer(&reader, encoding: encoding & 0x0f, base: 0)
    else { return }
    let (end, overflow) = start.addingReportingOverflow(byteCount)
    // Linkers leave entries of removed functions with a start of 0.
    guard !overflow, start != 0, byteCount != 0 else { return }
    ranges.append(start..<end)
    offsets.append(offset)
  }

  /// The encoding of code addresses in a CIE's FDEs.
  private static func encoding(
    _ bytes: RawSpan, cie: Int
  ) throws(ByteReader.OutOfBounds) -> UInt8? {
    var reader = ByteReader(bytes)
    try reader.skip(cie)
    guard let record = try record(&reader), record.ciePointer == 0, record.end > record.body
    else { return nil }
    reader = ByteReader(bytes.extracting(0..<record.end))
    try reader.skip(record.body + 4)
    let version = try reader.integer(UInt8.self)
    var augmentation: [UInt8] = []
    while case let letter = try reader.integer(UInt8.self), letter != 0 {
      augmentation.append(letter)
    }
    if version >= 4 { try reader.skip(2) }
    _ = try reader.varint()
    _ = try reader.varint()
    if version == 1 { try reader.skip(1) } else { _ = try reader.varint() }
    guard augmentation.first == UInt8(ascii: "z") else { return augmentation.isEmpty ? 0 : nil }
    _ = try reader.varint()
    for letter in augmentation.dropFirst() {
      switch letter {
      case UInt8(ascii: "R"): return try reader.integer(UInt8.self)
      case UInt8(ascii: "L"): try reader.skip(1)
      case UInt8(ascii: "P"):
        let encoding = try reader.integer(UInt8.self)
        guard try pointer(&reader, encoding: encoding & 0x0f, base: 0) != nil else { return nil }
      case UInt8(ascii: "S"), UInt8(ascii: "B"), UInt8(ascii: "G"): continue
      default: return nil
      }
    }
    return 0
  }

  /// Reads a pointer in one of the `DW_EH_PE` encodings.
  ///
  /// - Parameters:
  ///   - reader: Positioned at the pointer.
  ///   - encoding: The format in the low four bits; 0x10 is relative to the pointer itself. Others
  ///     (relative to text or data, indirect) do not occur in FDEs of programs for Linux.
  ///   - base: ELF virtual address of the reader's first byte.
  /// - Returns: The address, or the value where `encoding` is a bare format; nil for an encoding
  ///   that cannot be followed.
  /// - Throws: `ByteReader.OutOfBounds`.
  static func pointer(
    _ reader: inout ByteReader, encoding: UInt8, base: UInt64
  ) throws(ByteReader.OutOfBounds) -> UInt64? {
    let place = base &+ UInt64(reader.offset)
    let value: UInt64
    switch encoding & 0x0f {
    case 0x00, 0x04, 0x0c: value = try reader.integer(UInt64.self)
    case 0x01: value = try reader.varint()
    case 0x02: value = UInt64(try reader.integer(UInt16.self))
    case 0x03: value = UInt64(try reader.integer(UInt32.self))
    case 0x0a: value = UInt64(truncatingIfNeeded: try reader.integer(Int16.self))
    case 0x0b: value = UInt64(truncatingIfNeeded: try reader.integer(Int32.self))
    default: return nil
    }
    switch encoding & 0xf0 {
    case 0x00: return value
    case 0x10: return place &+ value
    default: return nil
    }
  }
}
