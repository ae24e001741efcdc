internal import WickProfile

extension GroupReport {
  /// Writes the report as aligned text without color.
  public func writeText(to output: inout some TextOutputStream) {
    account.writeFacts(to: &output)
    let shown = rows.reduce(Int64(0)) { $0.addingSaturating($1.selfValue) }
    let scale = ValueScale(unit: table.valueType.unit, largest: table.total)
    output.write(
      """

      Showing the top \(rows.count) of \(table.rows.count) \(table.grouping.plural): \
      \(Decimal.percent(shown, of: table.total)) % of \
      \(scale.text(table.total)) \(TextTable.harmless(table.valueType.name))


      """)
    switch table.grouping {
    case .process: writeProcesses(scale, to: &output)
    case .thread: writeThreads(scale, to: &output)
    case .module, .file: writeGroups(scale, to: &output)
    case .type: writeTypes(scale, to: &output)
    }
    output.write("\n\(account.line)\n")
  }

  private func writeGroups(_ scale: ValueScale, to output: inout some TextOutputStream) {
    let isFile = table.grouping == .file
    let names = SourceNames(isFile ? table.rows.compactMap(\.name) : [])
    let values = ValueCells(scale, total: table.total, hasErrors: errors != nil)
    var cells = TextTable(values.alignments + [.left])
    cells.add(values.titles + [table.grouping.rawValue])
    for row in rows {
      let name = row.name.map { isFile ? names[$0] : Substring($0) }
      let bars = (errors?.ofSelf(row.group), errors?.ofTotal(row.group))
      cells.add(
        values.cells(row.selfValue, row.totalValue, bars)
          + [name.map { TextTable.harmless($0) } ?? "(no \(table.grouping.rawValue))"])
    }
    cells.write(to: &output)
  }

  /// An object is of one type: self and total are the same.
  private func writeTypes(_ scale: ValueScale, to output: inout some TextOutputStream) {
    var cells = TextTable([.right, .right, .right, .left])
    cells.add(["total", errors == nil ? "" : "±", "total %", "type"])
    for row in rows {
      cells.add([
        scale.text(row.totalValue), errors?.ofTotal(row.group)?.text ?? "",
        Decimal.percent(row.totalValue, of: table.total),
        row.name.map { TextTable.harmless($0) } ?? "[untyped]",
      ])
    }
    cells.write(to: &output)
  }

  private func writeProcesses(_ scale: ValueScale, to output: inout some TextOutputStream) {
    var cells = TextTable([.right, .right, .right, .left, .left])
    cells.add(["total", "total %", "process", "name", "command"])
    for row in rows {
      cells.add([
        scale.text(row.totalValue), Decimal.percent(row.totalValue, of: table.total),
        row.process.map { String($0.pid) } ?? "",
        row.name.map { TextTable.harmless($0) } ?? "(no process)",
        TextTable.harmless(ProfileAccount.shortened(command(of: row))),
      ])
    }
    cells.write(to: &output)
  }

  /// The command line where it says more than the name.
  private func command(of row: GroupTable.Row) -> String {
    guard let command = row.process?.command, command != row.name else { return "" }
    return command
  }

  /// A thread calls no other: its value is its own.
  private func writeThreads(_ scale: ValueScale, to output: inout some TextOutputStream) {
    var cells = TextTable([.right, .right, .right, .right, .left])
    cells.add(["total", "total %", "process", "thread", "name"])
    for row in rows {
      cells.add([
        scale.text(row.totalValue), Decimal.percent(row.totalValue, of: table.total),
        row.thread.map { String($0.pid) } ?? "", row.thread.map { String($0.tid) } ?? "",
        row.name.map { TextTable.harmless($0) } ?? "(no thread)",
      ])
    }
    cells.write(to: &output)
  }
}
