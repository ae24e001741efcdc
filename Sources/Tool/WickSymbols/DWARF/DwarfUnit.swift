/// A unit of `.debug_info`: mostly one source file with all that it includes.
struct DwarfUnit {
  /// Of the header, to which references are relative.
  var offset: Int
  /// Of the first entry.
  var entries: Int
  var end: Int
  var format: DwarfFormat
  /// `DW_UT_…`; `compile` before version 5.
  var type: UInt8
  /// Offset of its abbreviations.
  var abbreviations: UInt64
  /// What skeleton and split unit have in common.
  var splitID: UInt64?
  /// Whether it is a split unit, whose addresses are in the file with the code.
  var isSplit = false
  /// What its first entry says.
  var root = Root()

  /// The attributes of a unit's first entry, unresolved: they may depend on each other.
  struct Root {
    var tag: UInt16 = 0
    var language: UInt64 = 0
    var folder = DwarfValue()
    var splitName = DwarfValue()
    var lineTable: UInt64?
    var lowPC = DwarfValue()
    var highPC = DwarfValue()
    var ranges = DwarfValue()
    var stringOffsetsBase: UInt64 = 0
    var addressBase: UInt64 = 0
    var rangeListsBase: UInt64 = 0
    /// Added to `DW_AT_ranges` of split units of version 4.
    var gnuRangesBase: UInt64 = 0

    /// Whether it says which code it has.
    var hasCode: Bool { ranges.isThere || lowPC.isThere }
  }

  /// Reads the header at a cursor and moves to the next.
  ///
  /// - Returns: The unit; nil where it is of no use, which is no reason to stop.
  static func read(_ cursor: inout DwarfCursor) -> DwarfUnit? {
    let offset = cursor.offset
    let (byteCount, is64Bit) = cursor.initialLength()
    guard !cursor.isDamaged, byteCount <= UInt64(cursor.remaining) else {
      cursor.giveUp()
      return nil
    }
    let end = cursor.offset + Int(byteCount)
    let version = UInt16(truncatingIfNeeded: cursor.half())
    var type = DwarfUnitType.compile
    let abbreviations: UInt64
    let addressByteCount: UInt8
    var splitID: UInt64?
    if version >= 5 {
      type = cursor.byte()
      addressByteCount = cursor.byte()
      abbreviations = cursor.sectionOffset(is64Bit: is64Bit)
      if type == DwarfUnitType.skeleton || type == DwarfUnitType.splitCompile {
        splitID = cursor.double()
      }
    } else {
      abbreviations = cursor.sectionOffset(is64Bit: is64Bit)
      addressByteCount = cursor.byte()
    }
    let entries = cursor.offset
    cursor.move(to: UInt64(end))
    guard 2...5 ~= version, addressByteCount == 4 || addressByteCount == 8, entries < end,
      type != DwarfUnitType.type, type != DwarfUnitType.splitType
    else { return nil }
    let format = DwarfFormat(
      version: version, addressByteCount: addressByteCount, is64Bit: is64Bit)
    return DwarfUnit(
      offset: offset, entries: entries, end: end, format: format, type: type,
      abbreviations: abbreviations, splitID: splitID)
  }

  /// Whether functions of C have their plain name as linker symbol, too.
  var isC: Bool {
    switch root.language {
    // DW_LANG_C89, C, C99, C11, C17.
    case 0x01, 0x02, 0x0c, 0x1d, 0x2c: true
    default: false
    }
  }
}
