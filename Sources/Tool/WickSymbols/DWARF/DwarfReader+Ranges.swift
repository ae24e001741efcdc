extension DwarfReader {
  /// Appends the address ranges of an entry, as far as the file can say them.
  ///
  /// - Parameters:
  ///   - entry: The entry's `DW_AT_low_pc`, `DW_AT_high_pc` and `DW_AT_ranges`.
  ///   - unit: Its unit.
  ///   - result: Where to append; empty and turned ranges are left out.
  ///   - limit: How many ranges may be appended.
  func appendRanges(
    _ entry: (low: DwarfValue, high: DwarfValue, ranges: DwarfValue), in unit: DwarfUnit,
    to result: inout [Range<UInt64>], limit: Int
  ) {
    if entry.ranges.isThere {
      let base = address(unit.root.lowPC, in: unit) ?? 0
      if unit.format.version >= 5 {
        guard let start = rangeList(entry.ranges, in: unit) else { return }
        appendRangeList(at: start, base: base, in: unit, to: &result, limit: limit)
      } else {
        var start = entry.ranges.value
        if unit.isSplit { start &+= unit.root.gnuRangesBase }
        appendOldRanges(at: start, base: base, in: unit, to: &result, limit: limit)
      }
      return
    }
    guard let low = address(entry.low, in: unit) else { return }
    switch entry.high.kind {
    case .constant: append(low, low &+ entry.high.value, to: &result)
    case .address, .addressIndex:
      if let high = address(entry.high, in: unit) { append(low, high, to: &result) }
    default: break
    }
  }

  @inline(__always)
  private func append(_ start: UInt64, _ end: UInt64, to result: inout [Range<UInt64>]) {
    if start < end { result.append(start..<end) }
  }

  /// Where a list begins in `.debug_rnglists`.
  private func rangeList(_ value: DwarfValue, in unit: DwarfUnit) -> UInt64? {
    guard value.kind == .rangeListIndex else { return value.value }
    let base = unit.root.rangeListsBase
    let byteCount: UInt64 = unit.format.is64Bit ? 8 : 4
    var cursor = DwarfCursor(sections.rangeLists, at: base &+ value.value &* byteCount)
    let offset = cursor.sectionOffset(is64Bit: unit.format.is64Bit)
    return cursor.isDamaged ? nil : base &+ offset
  }

  /// DWARF 5, section 2.17.3.
  private func appendRangeList(
    at start: UInt64, base: UInt64, in unit: DwarfUnit, to result: inout [Range<UInt64>],
    limit: Int
  ) {
    var base = base
    var count = 0
    let byteCount = unit.format.addressByteCount
    var cursor = DwarfCursor(sections.rangeLists, at: start)
    while !cursor.isAtEnd, count < limit {
      count &+= 1
      switch cursor.byte() {
      case 0: return  // DW_RLE_end_of_list
      case 1:  // DW_RLE_base_addressx
        // Without its base a pair means nothing.
        base = address(index: cursor.unsigned(), in: unit) ?? .max
      case 2:  // DW_RLE_startx_endx
        let start = address(index: cursor.unsigned(), in: unit)
        let end = address(index: cursor.unsigned(), in: unit)
        if let start, let end { append(start, end, to: &result) }
      case 3:  // DW_RLE_startx_length
        let start = address(index: cursor.unsigned(), in: unit)
        let length = cursor.unsigned()
        if let start { append(start, start &+ length, to: &result) }
      case 4:  // DW_RLE_offset_pair
        let start = cursor.unsigned()
        let end = cursor.unsigned()
        if !isTombstone(base) { append(base &+ start, base &+ end, to: &result) }
      case 5: base = cursor.integer(byteCount: byteCount)  // DW_RLE_base_address
      case 6:  // DW_RLE_start_end
        let start = cursor.integer(byteCount: byteCount)
        append(start, cursor.integer(byteCount: byteCount), to: &result)
      case 7:  // DW_RLE_start_length
        let start = cursor.integer(byteCount: byteCount)
        append(start, start &+ cursor.unsigned(), to: &result)
      default: return
      }
    }
  }

  /// DWARF 4, section 2.17.3.
  private func appendOldRanges(
    at start: UInt64, base: UInt64, in unit: DwarfUnit, to result: inout [Range<UInt64>],
    limit: Int
  ) {
    var base = base
    var count = 0
    let byteCount = unit.format.addressByteCount
    let baseMark: UInt64 = byteCount == 4 ? 0xffff_ffff : .max
    var cursor = DwarfCursor(sections.ranges, at: start)
    while !cursor.isAtEnd, count < limit {
      count &+= 1
      let start = cursor.integer(byteCount: byteCount)
      let end = cursor.integer(byteCount: byteCount)
      if start == 0, end == 0 { return }
      if start == baseMark {
        base = end
      } else if !isTombstone(base) {
        append(base &+ start, base &+ end, to: &result)
      }
    }
  }

  /// What linkers put where code was dropped; 0 is told by there being no code.
  private func isTombstone(_ address: UInt64) -> Bool { address >= .max - 1 }
}
