/// Adds the debug information of a module to its index.
struct DebugInformation: ~Escapable {
  private var indexer: DwarfIndexer
  /// Bytes of headers of line programs that may still be read.
  private var headerBudget: Int

  /// Reads the units of a file.
  ///
  /// - Parameters:
  ///   - sections: The file's.
  ///   - supplement: Of the file that several share; empty where there is none.
  @_lifetime(copy sections, copy supplement)
  init(_ sections: DwarfSections, supplement: DwarfSections) {
    indexer = DwarfIndexer(DwarfReader(sections), supplement: DwarfReader(supplement))
    headerBudget = 1 << 20 + 4 * sections.lines.byteCount
  }

  /// How many units could be read.
  var unitCount: Int { indexer.reader.units.count }

  /// Modules with less than this are indexed at once.
  private static let smallByteCount = 64 << 20

  /// Adds all units, or of large modules only those that have code that is asked for.
  ///
  /// - Parameters:
  ///   - addresses: What is asked for, ascending; nil for everything.
  ///   - splitFiles: Where split units are.
  ///   - index: Gets functions and lines.
  /// - Returns: Whether all units were added.
  mutating func add(
    for addresses: [UInt64]?, splitFiles: inout SplitFiles, to index: inout SourceIndexBuilder
  ) -> Bool {
    let units = indexer.reader.units.filter {
      $0.type != DwarfUnitType.partial && $0.root.tag != DwarfTag.partialUnit
    }
    var chosen = units
    if let addresses, indexer.reader.sections.info.byteCount > Self.smallByteCount {
      chosen = units.filter { covers($0, addresses) }
      let byteCount = chosen.reduce(0) { $0 + $1.end - $1.offset }
      if byteCount > indexer.reader.sections.info.byteCount / 10 * 3 { chosen = units }
    }
    // Rows of lines and functions have nothing in common but the headers of line programs.
    let lineIndexer = indexer
    var lines = LineCollector(index.lines, byteCount: indexer.reader.sections.lines.byteCount)
    concurrently {
      for unit in chosen { add(unit, splitFiles: &splitFiles, to: &index) }
    } and: {
      for unit in chosen { lines.add(unit, of: lineIndexer) }
    }
    index.lines = lines.rows
    return chosen.count == units.count
  }

  /// Whether a unit has one of some addresses, or does not say which it has.
  private func covers(_ unit: DwarfUnit, _ addresses: [UInt64]) -> Bool {
    var ranges: [Range<UInt64>] = []
    indexer.reader.appendRanges(
      (unit.root.lowPC, unit.root.highPC, unit.root.ranges), in: unit, to: &ranges,
      limit: 1 << 16)
    return ranges.isEmpty
      || ranges.contains { range in
        let next = addresses.partitioningIndex { $0 >= range.lowerBound }
        return next < addresses.count && addresses[next] < range.upperBound
      }
  }

  private mutating func add(
    _ unit: DwarfUnit, splitFiles: inout SplitFiles, to index: inout SourceIndexBuilder
  ) {
    var lines = indexer.lineTable(of: unit, budget: &headerBudget)
    if unit.splitID != nil, unit.root.splitName.isThere {
      // Swift refers to Clang's modules as if they were split units; these have no code.
      guard unit.root.hasCode else { return }
      // The split unit's file numbers are those of this table.
      lines?.resolveFiles(reader: indexer.reader, unit: unit, texts: &index.texts)
      splitFiles.add(unit, of: indexer.reader, files: &lines, to: &index)
    } else {
      indexer.addFunctions(of: unit, files: &lines, index: &index)
    }
  }
}
