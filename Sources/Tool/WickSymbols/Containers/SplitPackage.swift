/// A `.dwp` file: split units of many `.dwo` files, with an index by their identifiers.
///
/// The index is that of DWARF 5, section 7.3.5.3, and of GNU's version 2 before it.
struct SplitPackage {
  /// A part of a section.
  struct Place {
    var offset: UInt32
    var byteCount: UInt32
  }

  /// What belongs to a unit.
  struct Parts {
    var info: Place?
    var abbreviations: Place?
    var stringOffsets: Place?
    var rangeLists: Place?
  }

  let file: DebugFile
  private var units: [UInt64: Parts] = [:]

  /// Reads the index of a package.
  init(_ file: DebugFile) {
    self.file = file
    let index = file.section(".debug_cu_index")
    var cursor = DwarfCursor(index)
    // Version 5 has two bytes for it and two for padding, version 2 four.
    let version = cursor.word() & 0xffff
    let columnCount = cursor.word()
    let unitCount = cursor.word()
    let slotCount = cursor.word()
    // Everything that follows has to fit, which bounds all loops.
    let byteCount = UInt64(index.byteCount)
    guard version == 2 || version == 5, columnCount <= 64, slotCount <= byteCount / 12,
      unitCount <= byteCount
    else { return }
    let ids = UInt64(cursor.offset)
    let rows = ids + slotCount * 8
    let columns = rows + slotCount * 4
    let offsets = columns + columnCount * 4
    let sizes = offsets + unitCount * columnCount * 4
    cursor.move(to: columns)
    let kinds = (0..<columnCount).map { _ in cursor.word() }
    for slot in 0..<slotCount {
      cursor.move(to: rows + slot * 4)
      let row = cursor.word()
      guard row > 0, row <= unitCount else { continue }
      cursor.move(to: ids + slot * 8)
      let id = cursor.double()
      var parts = Parts()
      for (column, kind) in kinds.enumerated() {
        let place = ((row - 1) * columnCount + UInt64(column)) * 4
        cursor.move(to: offsets + place)
        let offset = UInt32(truncatingIfNeeded: cursor.word())
        cursor.move(to: sizes + place)
        let byteCount = UInt32(truncatingIfNeeded: cursor.word())
        let part = Place(offset: offset, byteCount: byteCount)
        // DW_SECT_…
        switch kind {
        case 1: parts.info = part
        case 3: parts.abbreviations = part
        case 6: parts.stringOffsets = part
        case 8 where version == 5: parts.rangeLists = part
        default: break
        }
      }
      guard !cursor.isDamaged else { return }
      units[id] = parts
    }
  }

  /// Where a unit is; nil if the package does not have it.
  func parts(of id: UInt64) -> Parts? { units[id] }
}
