/// Adds units of one file to an index: functions and inlined calls by address, and lines.
struct DwarfIndexer: ~Escapable {
  /// The file with the units.
  var reader: DwarfReader
  /// What several files share (`.gnu_debugaltlink`, `DW_AT_…_sup`); empty if there is none.
  private var supplement: DwarfReader
  /// Names of functions by place of their entry, the supplement's with an odd key.
  private var names: [UInt64: FunctionName] = [:]
  private var scratch: [Range<UInt64>] = []

  /// Chains of origins are longer only in damaged files.
  private static let originLimit = 16

  @_lifetime(copy reader, copy supplement)
  init(_ reader: consuming DwarfReader, supplement: consuming DwarfReader) {
    self.reader = reader
    self.supplement = supplement
  }

  /// Adds the functions of a unit.
  ///
  /// - Parameters:
  ///   - unit: One of the reader's.
  ///   - files: What its file numbers mean.
  ///   - index: Gets the functions.
  mutating func addFunctions(
    of unit: DwarfUnit, files: inout LineTable?, index: inout SourceIndexBuilder
  ) {
    let table = reader.table(of: unit)
    var cursor = DwarfCursor(
      reader.sections.info, at: UInt64(unit.entries), end: UInt64(unit.end))
    /// The function around the entry, and around each of those that the entry is in.
    var function = SourceIndexBuilder.noNode
    var functions: [UInt32] = []
    repeat {
      let place = cursor.offset
      let code = cursor.unsigned()
      if code == 0 {
        function = functions.popLast() ?? function
        continue
      }
      guard let shape = table.entry(code) else { return }
      var inner = function
      if shape.tag == DwarfTag.subprogram || shape.tag == DwarfTag.inlinedSubroutine {
        let entry = FunctionEntry(&cursor, shape: shape, table: table, unit: unit)
        let isInlined = shape.tag == DwarfTag.inlinedSubroutine
        if !isInlined { inner = SourceIndexBuilder.noNode }
        if entry.hasCode {
          let node = add(
            entry, at: place, caller: isInlined ? function : SourceIndexBuilder.noNode, of: unit,
            files: &files, index: &index)
          inner = node ?? inner
        }
      } else if shape.sibling >= 0, shape.hasChildren, Self.hasNoFunctions(shape.tag, unit) {
        if !skipChildren(&cursor, shape: shape, table: table, unit: unit) { return }
        continue
      } else if shape.byteCount >= 0 {
        cursor.skip(UInt64(shape.byteCount))
      } else {
        for index in shape.attributes {
          cursor.skip(form: table.attributes[index].form, format: unit.format)
        }
      }
      if shape.hasChildren {
        functions.append(function)
        function = inner
      }
    } while !functions.isEmpty && !cursor.isAtEnd
  }

  /// Whether code is never below entries of a kind.
  @inline(__always)
  private static func hasNoFunctions(_ tag: UInt16, _ unit: DwarfUnit) -> Bool {
    switch tag {
    case DwarfTag.callSite, DwarfTag.gnuCallSite, DwarfTag.arrayType, DwarfTag.enumerationType,
      DwarfTag.subroutineType:
      true
    case DwarfTag.structureType, DwarfTag.unionType, DwarfTag.classType: unit.isC
    default: false
    }
  }

  /// Moves to the next entry of the same level; false for one that is not behind.
  private func skipChildren(
    _ cursor: inout DwarfCursor, shape: AbbreviationTable.Entry, table: AbbreviationTable,
    unit: DwarfUnit
  ) -> Bool {
    for index in shape.attributes.lowerBound..<shape.sibling {
      cursor.skip(form: table.attributes[index].form, format: unit.format)
    }
    let attribute = table.attributes[shape.sibling]
    let sibling = cursor.value(
      form: attribute.form, constant: attribute.constant, format: unit.format, unit: unit.offset)
    guard sibling.kind == .reference, sibling.value > UInt64(cursor.offset) else { return false }
    cursor.move(to: sibling.value)
    return true
  }

  /// Adds a function with code; its number, or nil if the module has no such code.
  private mutating func add(
    _ entry: FunctionEntry, at place: Int, caller: UInt32, of unit: DwarfUnit,
    files: inout LineTable?, index: inout SourceIndexBuilder
  ) -> UInt32? {
    scratch.removeAll(keepingCapacity: true)
    reader.appendRanges(
      (entry.low, entry.high, entry.ranges), in: unit, to: &scratch, limit: index.rangeBudget)
    index.rangeBudget -= scratch.count
    guard index.hasCode(in: scratch) else { return nil }
    let name = name(of: entry, at: place, in: unit, texts: &index.texts)
    var node = SourceNode(name: name.text, kind: name.isLinkage ? .linkage : .plain)
    if !name.isLinkage, !unit.isC { node.kind = .plainForeign }
    if caller != SourceIndexBuilder.noNode {
      node.caller = caller
      node.callLine = UInt32(truncatingIfNeeded: entry.callLine.value)
      if entry.callFile.isThere, files != nil {
        node.callFile = fileID(entry.callFile.value, of: unit, files: &files, index: &index)
      }
    }
    return index.add(node, ranges: scratch)
  }

  private func fileID(
    _ number: UInt64, of unit: DwarfUnit, files: inout LineTable?,
    index: inout SourceIndexBuilder
  ) -> UInt32 {
    files?.fileID(number, reader: reader, unit: unit, texts: &index.texts) ?? TextPool.empty
  }

  /// The name of a function, from its entry or the first origin that has one.
  private mutating func name(
    of entry: FunctionEntry, at place: Int, in unit: DwarfUnit, texts: inout TextPool
  ) -> FunctionName {
    var entry = entry
    var unit = unit
    var isShared = false
    var found = FunctionName()
    var keys: [UInt64] = []
    for _ in 0..<Self.originLimit {
      // In C that is another name for the inside of a library (`__GI_munmap`).
      if entry.linkageName.isThere, !unit.isC || !entry.name.isThere {
        let text = textID(entry.linkageName, in: unit, isShared: isShared, texts: &texts)
        if text != TextPool.empty {
          found = FunctionName(text: text, isLinkage: true)
          break
        }
      }
      if found.text == TextPool.empty, entry.name.isThere {
        found.text = textID(entry.name, in: unit, isShared: isShared, texts: &texts)
      }
      guard let (origin, isOriginShared) = origin(of: entry, isShared: isShared) else { break }
      let key = origin &<< 1 | (isOriginShared ? 1 : 0)
      if let known = names[key] {
        if known.isLinkage || found.text == TextPool.empty { found = known }
        break
      }
      keys.append(key)
      let next = isOriginShared ? supplement.function(at: origin) : reader.function(at: origin)
      guard let next else { break }
      (unit, entry) = next
      isShared = isOriginShared
    }
    for key in keys { names[key] = found }
    return found
  }

  /// The header of a unit's line program; nil where it has none.
  ///
  /// - Parameters:
  ///   - unit: One of the reader's.
  ///   - budget: Bytes of headers that may still be read; gets less by what is read.
  /// - Returns: The header.
  func lineTable(of unit: DwarfUnit, budget: inout Int) -> LineTable? {
    guard let offset = unit.root.lineTable, budget > 0 else { return nil }
    var cursor = DwarfCursor(reader.sections.lines, at: offset)
    var table = LineTable(&cursor, addressByteCount: unit.format.addressByteCount)
    budget -= cursor.offset - Int(min(offset, UInt64(cursor.offset)))
    table?.folder = folder(of: unit)
    return table
  }

  /// A unit's folder.
  private func folder(of unit: DwarfUnit) -> [UInt8] {
    let folder = unit.root.folder
    guard folder.kind == .supplementString else { return reader.text(folder, in: unit).array }
    return supplement.text(DwarfValue(kind: .string, value: folder.value), in: unit).array
  }

  private func origin(
    of entry: FunctionEntry, isShared: Bool
  ) -> (place: UInt64, isShared: Bool)? {
    switch entry.origin.kind {
    case .reference: (entry.origin.value, isShared)
    case .supplementReference: (entry.origin.value, true)
    default: nil
    }
  }

  private mutating func textID(
    _ value: DwarfValue, in unit: DwarfUnit, isShared: Bool, texts: inout TextPool
  ) -> UInt32 {
    if value.kind == .supplementString {
      // It has no unit, and needs none.
      let string = DwarfValue(kind: .string, value: value.value)
      return supplement.textID(string, in: unit, texts: &texts)
    }
    return isShared
      ? supplement.textID(value, in: unit, texts: &texts)
      : reader.textID(value, in: unit, texts: &texts)
  }
}

extension DwarfReader {
  /// Reads an entry that another one refers to.
  func function(at place: UInt64) -> (unit: DwarfUnit, entry: FunctionEntry)? {
    guard let unit = unit(at: place) else { return nil }
    let table = table(of: unit)
    var cursor = DwarfCursor(sections.info, at: place, end: UInt64(unit.end))
    guard let shape = table.entry(cursor.unsigned()) else { return nil }
    return (unit, FunctionEntry(&cursor, shape: shape, table: table, unit: unit))
  }
}
