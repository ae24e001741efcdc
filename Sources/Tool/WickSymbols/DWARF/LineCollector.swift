/// Runs the line programs of a module's units.
struct LineCollector {
  private(set) var rows: LineRows
  /// Line programs that were run: units may share one.
  private var programs: Set<UInt64> = []
  /// Bytes of line tables that may still be read.
  private var budget: Int

  /// Collects nothing yet.
  ///
  /// - Parameters:
  ///   - rows: Where to collect.
  ///   - byteCount: Size of `.debug_line`.
  init(_ rows: LineRows, byteCount: Int) {
    self.rows = rows
    budget = 1 << 20 + 4 * byteCount
  }

  /// Runs the line program of a unit, if that was not done yet.
  ///
  /// - Parameters:
  ///   - unit: One of the indexer's file.
  ///   - indexer: The file.
  mutating func add(_ unit: DwarfUnit, of indexer: borrowing DwarfIndexer) {
    guard let offset = unit.root.lineTable, budget > 0, programs.insert(offset).inserted,
      let table = indexer.lineTable(of: unit, budget: &budget)
    else { return }
    budget -= table.program.count
    var program = LineProgram(indexer.reader.sections.lines, table: table, unit: unit)
    program.run(reader: indexer.reader, rows: &rows)
  }
}
