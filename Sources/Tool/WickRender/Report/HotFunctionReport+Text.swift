internal import WickProfile

extension HotFunctionReport {
  /// Writes the report as aligned text without color.
  public func writeText(to output: inout some TextOutputStream) {
    account.writeFacts(to: &output)
    let shown = rows.reduce(Int64(0)) { $0.addingSaturating($1.selfValue) }
    let scale = ValueScale(unit: table.valueType.unit, largest: table.total)
    let total = "\(scale.text(table.total)) \(TextTable.harmless(table.valueType.name))"
    let percent = Decimal.percent(shown, of: table.total)
    output.write(
      """

      Showing the top \(rows.count) of \(table.rows.count) functions: \(percent) % of \(total)


      """)
    let values = ValueCells(scale, total: table.total, hasErrors: errors != nil)
    var cells = TextTable(values.alignments + [.left, .left])
    cells.add(values.titles + ["function", "module"])
    for row in rows {
      let bars = (errors?.ofSelf(row.function), errors?.ofTotal(row.function))
      cells.add(
        values.cells(row.selfValue, row.totalValue, bars)
          + [TextTable.harmless(row.function.name), TextTable.harmless(row.function.module)])
    }
    cells.write(to: &output)
    output.write("\n\(account.line)\n")
  }
}
