/// Runs line programs (DWARF 5, section 6.2.5) into rows of an index.
struct LineProgram: ~Escapable {
  private var cursor: DwarfCursor
  /// The program's header.
  private var table: LineTable
  private let unit: DwarfUnit

  // The state machine's registers, as far as they matter here.
  private var address: UInt64 = 0
  private var operation: UInt64 = 0
  private var file: UInt64 = 1
  private var line: UInt32 = 1
  /// The rows' number of `file`, for as long as that stays.
  private var fileID: UInt32?

  /// Stands at the start of a program.
  @_lifetime(copy lines)
  init(_ lines: RawSpan, table: LineTable, unit: DwarfUnit) {
    cursor = DwarfCursor(
      lines, at: UInt64(table.program.lowerBound), end: UInt64(table.program.upperBound))
    self.table = table
    self.unit = unit
  }

  /// Runs to the end.
  ///
  /// - Parameters:
  ///   - reader: Of the file that has the program.
  ///   - rows: Gets the rows.
  mutating func run(reader: borrowing DwarfReader, rows: inout LineRows) {
    let opcodeBase = table.opcodeBase
    rows.beginSequence()
    while !cursor.isAtEnd {
      let opcode = cursor.byte()
      if opcode >= opcodeBase {
        let (operations, step) = (opcode &- opcodeBase).quotientAndRemainder(
          dividingBy: table.lineRange)
        advance(UInt64(operations))
        line = line &+ UInt32(truncatingIfNeeded: table.lineBase &+ Int64(step))
        append(reader: reader, rows: &rows)
      } else if opcode == 0 {
        extended(reader: reader, rows: &rows)
      } else {
        standard(opcode, reader: reader, rows: &rows)
      }
    }
    // Without its end a sequence covers nobody knows what.
    rows.dropSequence()
  }

  @inline(__always)
  private mutating func advance(_ operations: UInt64) {
    if table.operationsPerInstruction == 1 {
      address &+= operations &* table.instructionByteCount
    } else {
      let sum = operation &+ operations
      address &+= sum / table.operationsPerInstruction &* table.instructionByteCount
      operation = sum % table.operationsPerInstruction
    }
  }

  @inline(__always)
  private mutating func append(
    reader: borrowing DwarfReader, rows: inout LineRows
  ) {
    let id: UInt32
    if let known = fileID {
      id = known
    } else {
      id = table.fileID(file, reader: reader, unit: unit, texts: &rows.files)
      fileID = id
    }
    rows.append(address: address, file: id, line: line)
  }

  private mutating func standard(
    _ opcode: UInt8, reader: borrowing DwarfReader, rows: inout LineRows
  ) {
    switch opcode {
    case 1: append(reader: reader, rows: &rows)  // DW_LNS_copy
    case 2: advance(cursor.unsigned())  // DW_LNS_advance_pc
    case 3: line = line &+ UInt32(truncatingIfNeeded: cursor.signed())  // DW_LNS_advance_line
    case 4:  // DW_LNS_set_file
      file = cursor.unsigned()
      fileID = nil
    case 8: advance(UInt64((255 &- table.opcodeBase) / table.lineRange))  // DW_LNS_const_add_pc
    case 9:  // DW_LNS_fixed_advance_pc
      address &+= cursor.half()
      operation = 0
    case 5, 12: cursor.skipNumber()  // DW_LNS_set_column, DW_LNS_set_isa
    // DW_LNS_negate_stmt, …set_basic_block, …set_prologue_end, …set_epilogue_begin
    case 6, 7, 10, 11: break
    default:
      for _ in 0..<table.operandCounts[Int(opcode) - 1] { cursor.skipNumber() }
    }
  }

  private mutating func extended(
    reader: borrowing DwarfReader, rows: inout LineRows
  ) {
    let byteCount = cursor.unsigned()
    let start = cursor.offset
    guard byteCount > 0, byteCount <= UInt64(cursor.remaining) else { return cursor.giveUp() }
    switch cursor.byte() {
    case 1:  // DW_LNE_end_sequence
      rows.endSequence(address: address)
      rows.beginSequence()
      address = 0
      operation = 0
      file = 1
      line = 1
      fileID = nil
    case 2:  // DW_LNE_set_address
      address = cursor.integer(byteCount: UInt8(truncatingIfNeeded: byteCount &- 1))
      operation = 0
    case 3:  // DW_LNE_define_file
      let name = UInt64(cursor.offset)
      _ = cursor.text()
      table.defineFile(name: name, folder: cursor.unsigned())
    default: break
    }
    cursor.move(to: UInt64(start) &+ byteCount)
  }
}
