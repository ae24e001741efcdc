/// Reads the units of one file: their first entries, the texts, addresses and ranges that they
/// refer to.
struct DwarfReader: ~Escapable {
  let sections: DwarfSections
  private(set) var units: [DwarfUnit] = []
  private var tables: [AbbreviationTable] = []
  private var tablePlaces: [TableKey: Int] = [:]
  /// Bytes of abbreviations that may still be read: units may name overlapping tables.
  private var abbreviationBudget: Int
  /// What texts are called in the index, by kind and offset.
  var textIDs: [UInt64: UInt32] = [:]
  /// Names of functions by the offset of their entry.
  var functionNames: [UInt64: FunctionName] = [:]

  private struct TableKey: Hashable {
    var offset: UInt64
    var format: DwarfFormat
  }

  /// Reads all headers and first entries.
  @_lifetime(copy sections)
  init(_ sections: DwarfSections) {
    self.sections = sections
    abbreviationBudget = 1 << 20 + 4 * sections.abbreviations.byteCount
    var cursor = DwarfCursor(sections.info)
    while !cursor.isAtEnd {
      guard var unit = DwarfUnit.read(&cursor), let table = tablePlace(of: unit) else { continue }
      readRoot(of: &unit, table: table)
      unit.abbreviations = UInt64(table)
      units.append(unit)
    }
  }

  /// The abbreviations of one of `units`.
  func table(of unit: DwarfUnit) -> AbbreviationTable { tables[Int(unit.abbreviations)] }

  private mutating func tablePlace(of unit: DwarfUnit) -> Int? {
    let key = TableKey(offset: unit.abbreviations, format: unit.format)
    if let place = tablePlaces[key] { return place }
    guard abbreviationBudget > 0 else { return nil }
    var cursor = DwarfCursor(sections.abbreviations, at: unit.abbreviations)
    let start = cursor.offset
    tables.append(AbbreviationTable(&cursor, format: unit.format))
    abbreviationBudget -= cursor.offset - start
    tablePlaces[key] = tables.count - 1
    return tables.count - 1
  }

  private func readRoot(of unit: inout DwarfUnit, table: Int) {
    var cursor = DwarfCursor(
      sections.info, at: UInt64(unit.entries), end: UInt64(unit.end))
    let table = tables[table]
    guard let entry = table.entry(cursor.unsigned()) else { return }
    var root = DwarfUnit.Root()
    root.tag = entry.tag
    let headerByteCount: UInt64 = unit.format.is64Bit ? 16 : 8
    if unit.type == DwarfUnitType.splitCompile {
      // These have no attributes for their bases: theirs are the only parts of the sections.
      root.stringOffsetsBase = headerByteCount
      root.rangeListsBase = headerByteCount + 4
    }
    for attribute in table.attributes[entry.attributes] {
      let value = cursor.value(
        form: attribute.form, constant: attribute.constant, format: unit.format,
        unit: unit.offset)
      switch attribute.name {
      case DwarfAttribute.language: root.language = value.value
      case DwarfAttribute.compilationFolder: root.folder = value
      case DwarfAttribute.splitName, DwarfAttribute.gnuSplitName: root.splitName = value
      case DwarfAttribute.lineTable: root.lineTable = value.value
      case DwarfAttribute.lowPC: root.lowPC = value
      case DwarfAttribute.highPC: root.highPC = value
      case DwarfAttribute.ranges: root.ranges = value
      case DwarfAttribute.stringOffsetsBase: root.stringOffsetsBase = value.value
      case DwarfAttribute.addressBase, DwarfAttribute.gnuAddressBase:
        root.addressBase = value.value
      case DwarfAttribute.rangeListsBase: root.rangeListsBase = value.value
      case DwarfAttribute.gnuRangesBase: root.gnuRangesBase = value.value
      case DwarfAttribute.gnuSplitID: unit.splitID = value.value
      default: break
      }
    }
    unit.root = root
  }

  /// The unit that has an entry; nil for a place outside all units' entries.
  func unit(at offset: UInt64) -> DwarfUnit? {
    let next = units.partitioningIndex { UInt64($0.offset) > offset }
    guard next > 0 else { return nil }
    let unit = units[next - 1]
    return offset >= UInt64(unit.entries) && offset < UInt64(unit.end) ? unit : nil
  }

  /// Where a text is, with its section told apart by a number; nil for what is no text.
  private func place(of value: DwarfValue, in unit: DwarfUnit) -> (section: UInt8, at: UInt64)? {
    switch value.kind {
    case .text: return (0, value.value)
    case .string: return (1, value.value)
    case .lineString: return (2, value.value)
    case .lineText: return (3, value.value)
    case .stringIndex:
      let byteCount: UInt64 = unit.format.is64Bit ? 8 : 4
      var cursor = DwarfCursor(
        sections.stringOffsets,
        at: unit.root.stringOffsetsBase &+ value.value &* byteCount)
      let offset = cursor.sectionOffset(is64Bit: unit.format.is64Bit)
      return cursor.isDamaged ? nil : (1, offset)
    default: return nil
    }
  }

  /// A text without its NUL; empty for what is none.
  @_lifetime(copy self)
  func text(_ value: DwarfValue, in unit: DwarfUnit) -> RawSpan {
    guard let (section, offset) = place(of: value, in: unit) else { return RawSpan() }
    return text(section: section, at: offset)
  }

  @_lifetime(copy self)
  private func text(section: UInt8, at offset: UInt64) -> RawSpan {
    let bytes =
      switch section {
      case 0: sections.info
      case 1: sections.strings
      case 2: sections.lineStrings
      default: sections.lines
      }
    var cursor = DwarfCursor(bytes, at: offset)
    guard !cursor.isDamaged else { return RawSpan() }
    let byteCount = cursor.text()
    return bytes.extracting(Int(offset)..<Int(offset) + byteCount)
  }

  /// What a text of this file is called in the index.
  mutating func textID(
    _ value: DwarfValue, in unit: DwarfUnit, texts: inout TextPool
  ) -> UInt32 {
    guard let (section, offset) = place(of: value, in: unit) else { return TextPool.empty }
    let key = offset &<< 2 | UInt64(section)
    if let id = textIDs[key] { return id }
    let id = texts.id(of: text(section: section, at: offset))
    textIDs[key] = id
    return id
  }

  /// An address; nil for what is none.
  func address(_ value: DwarfValue, in unit: DwarfUnit) -> UInt64? {
    switch value.kind {
    case .address: return value.value
    case .addressIndex: return address(index: value.value, in: unit)
    default: return nil
    }
  }

  /// An address of the unit's part of `.debug_addr`.
  func address(index: UInt64, in unit: DwarfUnit) -> UInt64? {
    let byteCount = unit.format.addressByteCount
    var cursor = DwarfCursor(
      sections.addresses, at: unit.root.addressBase &+ index &* UInt64(byteCount))
    let address = cursor.integer(byteCount: byteCount)
    return cursor.isDamaged ? nil : address
  }
}
