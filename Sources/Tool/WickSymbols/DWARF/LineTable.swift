/// The header of a line program: what its file numbers stand for and how its rows are coded.
///
/// Versions 2 to 5 (DWARF 5, section 6.2.4). Version 5 counts files and folders from 0, where
/// folder 0 is the unit's; before, files count from 1 and folder 0 is the unit's without an entry.
struct LineTable {
  private struct File {
    var name: DwarfValue
    var folder: UInt64
  }

  private var folders: [DwarfValue] = []
  private var files: [File] = []
  /// Numbers in the index by number here; `unknown` where not asked for yet.
  private var ids: [UInt32] = []
  private static let unknown = UInt32.max

  /// The unit's folder, to which paths are relative.
  var folder: [UInt8] = []
  private(set) var format: DwarfFormat
  /// Where the program begins and ends in `.debug_line`.
  private(set) var program: Range<Int>
  private(set) var instructionByteCount: UInt64 = 1
  private(set) var operationsPerInstruction: UInt64 = 1
  private(set) var lineBase: Int64 = 0
  private(set) var lineRange: UInt8 = 1
  /// Operand counts of the standard opcodes; opcode n at n − 1.
  private(set) var operandCounts: [UInt8] = []

  /// The first special opcode.
  var opcodeBase: UInt8 { UInt8(truncatingIfNeeded: operandCounts.count + 1) }

  /// Reads a header; nil for what is none.
  ///
  /// - Parameters:
  ///   - cursor: At the header, in `.debug_line`.
  ///   - addressByteCount: Of the unit; version 5 says it itself.
  init?(_ cursor: inout DwarfCursor, addressByteCount: UInt8) {
    let (byteCount, is64Bit) = cursor.initialLength()
    guard !cursor.isDamaged, byteCount <= UInt64(cursor.remaining) else { return nil }
    let end = cursor.offset + Int(byteCount)
    let version = UInt16(truncatingIfNeeded: cursor.half())
    guard 2...5 ~= version else { return nil }
    format = DwarfFormat(
      version: version, addressByteCount: addressByteCount, is64Bit: is64Bit)
    if version >= 5 {
      format.addressByteCount = cursor.byte()
      // The segment selector's size.
      cursor.skip(1)
    }
    let headerByteCount = cursor.sectionOffset(is64Bit: is64Bit)
    guard !cursor.isDamaged, headerByteCount <= UInt64(max(0, end - cursor.offset)) else {
      return nil
    }
    program = cursor.offset + Int(headerByteCount)..<end
    instructionByteCount = UInt64(cursor.byte())
    if version >= 4 { operationsPerInstruction = max(1, UInt64(cursor.byte())) }
    // default_is_stmt
    cursor.skip(1)
    lineBase = Int64(Int8(bitPattern: cursor.byte()))
    lineRange = cursor.byte()
    let opcodeBase = cursor.byte()
    // Opcode 0 begins an extended one.
    guard lineRange > 0, opcodeBase > 0 else { return nil }
    for _ in 1..<opcodeBase { operandCounts.append(cursor.byte()) }
    if version >= 5 {
      readEntries(&cursor) { table, name, _ in table.folders.append(name) }
      readEntries(&cursor) { table, name, folder in
        table.files.append(File(name: name, folder: folder))
      }
    } else {
      readOldEntries(&cursor)
    }
    ids = [UInt32](repeating: Self.unknown, count: files.count)
  }

  private mutating func readOldEntries(_ cursor: inout DwarfCursor) {
    folders.append(DwarfValue())
    files.append(File(name: DwarfValue(), folder: 0))
    while cursor.offset < program.lowerBound {
      let start = cursor.offset
      if cursor.text() == 0 { break }
      folders.append(DwarfValue(kind: .lineText, value: UInt64(start)))
    }
    while cursor.offset < program.lowerBound {
      let start = cursor.offset
      if cursor.text() == 0 { break }
      files.append(
        File(
          name: DwarfValue(kind: .lineText, value: UInt64(start)), folder: cursor.unsigned()))
      // Time and size.
      cursor.skipNumber()
      cursor.skipNumber()
    }
  }

  private mutating func readEntries(
    _ cursor: inout DwarfCursor,
    append: (inout LineTable, _ name: DwarfValue, _ folder: UInt64) -> Void
  ) {
    var shape: [(content: UInt64, form: UInt16)] = []
    for _ in 0..<cursor.byte() {
      shape.append((cursor.unsigned(), UInt16(clamping: cursor.unsigned())))
    }
    let count = cursor.unsigned()
    // Each entry has a byte at least, or there could be any number of them.
    guard count <= UInt64(cursor.remaining) else { return cursor.giveUp() }
    for _ in 0..<count where !cursor.isDamaged {
      var name = DwarfValue()
      var folder: UInt64 = 0
      for (content, form) in shape {
        var value = cursor.value(form: form, constant: 0, format: format, unit: 0)
        if value.kind == .text { value.kind = .lineText }
        // DW_LNCT_path is 1, DW_LNCT_directory_index 2.
        if content == 1 { name = value }
        if content == 2 { folder = value.value }
      }
      append(&self, name, folder)
    }
  }

  /// Adds a file that the program itself names (`DW_LNE_define_file`).
  mutating func defineFile(name: UInt64, folder: UInt64) {
    files.append(File(name: DwarfValue(kind: .lineText, value: name), folder: folder))
    ids.append(Self.unknown)
  }

  /// What a file is called in the index, as an absolute path where that is known.
  ///
  /// - Parameters:
  ///   - number: The file here.
  ///   - reader: The file that has the table.
  ///   - unit: The unit that has the table.
  ///   - texts: The index's texts.
  /// - Returns: Its number; that of the empty text for a file that the table does not have.
  mutating func fileID(
    _ number: UInt64, reader: borrowing DwarfReader, unit: DwarfUnit, texts: inout TextPool
  ) -> UInt32 {
    guard number < UInt64(files.count) else { return TextPool.empty }
    let index = Int(number)
    if ids[index] != Self.unknown { return ids[index] }
    let file = files[index]
    var path = SourcePath()
    path.prepend(reader.text(file.name, in: unit))
    if path.isEmpty {
      ids[index] = TextPool.empty
      return TextPool.empty
    }
    if file.folder < UInt64(folders.count) {
      path.prepend(reader.text(folders[Int(file.folder)], in: unit))
    }
    // From version 5 on folder 0 is the unit's own, which may be relative, too.
    if format.version < 5 || file.folder != 0 { unsafe path.prepend(folder.span.bytes) }
    ids[index] = texts.id(of: path.bytes)
    return ids[index]
  }

  /// Looks up all files, after which `fileID` needs no reader.
  mutating func resolveFiles(
    reader: borrowing DwarfReader, unit: DwarfUnit, texts: inout TextPool
  ) {
    for number in files.indices {
      _ = fileID(UInt64(number), reader: reader, unit: unit, texts: &texts)
    }
  }
}

/// A path that is put together from its end.
private struct SourcePath {
  private(set) var bytes: [UInt8] = []

  var isEmpty: Bool { bytes.isEmpty }

  /// Puts a folder in front, unless the path is absolute.
  mutating func prepend(_ part: RawSpan) {
    guard part.byteCount > 0, bytes.first != UInt8(ascii: "/") else { return }
    var whole = part.clamped(offset: 0, byteCount: UInt64(TextPool.lengthLimit)).array
    if !bytes.isEmpty {
      if whole.last != UInt8(ascii: "/") { whole.append(UInt8(ascii: "/")) }
      // "./x.c" in a folder is "x.c" there.
      var rest = bytes[...]
      while rest.starts(with: [UInt8(ascii: "."), UInt8(ascii: "/")]) { rest = rest.dropFirst(2) }
      whole += rest
    }
    bytes = whole
  }
}
