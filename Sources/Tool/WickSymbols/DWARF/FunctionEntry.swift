/// What an entry for a function or for an inlined call says, unresolved.
struct FunctionEntry {
  var name = DwarfValue()
  var linkageName = DwarfValue()
  /// The entry that this one is an instance of or completes.
  var origin = DwarfValue()
  var low = DwarfValue()
  var high = DwarfValue()
  var ranges = DwarfValue()
  var callFile = DwarfValue()
  var callLine = DwarfValue()

  /// Reads the values behind an entry's code.
  @inline(__always)
  init(
    _ cursor: inout DwarfCursor, shape: AbbreviationTable.Entry, table: AbbreviationTable,
    unit: DwarfUnit
  ) {
    for index in shape.attributes {
      let attribute = table.attributes[index]
      switch attribute.name {
      case DwarfAttribute.name, DwarfAttribute.linkageName, DwarfAttribute.oldLinkageName,
        DwarfAttribute.abstractOrigin, DwarfAttribute.specification, DwarfAttribute.lowPC,
        DwarfAttribute.highPC, DwarfAttribute.ranges, DwarfAttribute.callFile,
        DwarfAttribute.callLine:
        let value = cursor.value(
          form: attribute.form, constant: attribute.constant, format: unit.format,
          unit: unit.offset)
        switch attribute.name {
        case DwarfAttribute.name: name = value
        case DwarfAttribute.lowPC: low = value
        case DwarfAttribute.highPC: high = value
        case DwarfAttribute.ranges: ranges = value
        case DwarfAttribute.callFile: callFile = value
        case DwarfAttribute.callLine: callLine = value
        case DwarfAttribute.abstractOrigin: origin = value
        // An entry with both is an instance, whose origin says the rest.
        case DwarfAttribute.specification: if !origin.isThere { origin = value }
        default: linkageName = value
        }
      default: cursor.skip(form: attribute.form, format: unit.format)
      }
    }
  }

  /// Whether the entry has code of its own.
  var hasCode: Bool { ranges.isThere || low.isThere && high.isThere }
}

/// The name of a function as the debug information has it.
struct FunctionName {
  /// Number of the text in the index.
  var text = TextPool.empty
  /// Whether it is a linker symbol, and not the plain name.
  var isLinkage = false
}
