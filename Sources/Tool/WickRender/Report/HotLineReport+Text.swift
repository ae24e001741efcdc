internal import WickProfile

extension HotLineReport {
  /// Writes the report as aligned text without color.
  public func writeText(to output: inout some TextOutputStream) {
    account.writeFacts(to: &output)
    ProfileAccount.write(
      "Lines", "known for \(Decimal.percent(knownValue, of: total)) %", to: &output)
    let shown = rows.reduce(Int64(0)) { $0.addingSaturating($1.selfValues[table.column]) }
    let scale = ValueScale(unit: valueType.unit, largest: total)
    output.write(
      """

      Showing the top \(rows.count) of \(table.rows.count) lines: \
      \(Decimal.percent(shown, of: total)) % of \
      \(scale.text(total)) \(TextTable.harmless(valueType.name))


      """)
    let values = ValueCells(scale, total: total, hasErrors: errors != nil)
    var cells = TextTable(values.alignments + [.left, .left, .left])
    cells.add(values.titles + ["line", "function", "module"])
    for row in rows {
      let (own, all) = (row.selfValues[table.column], row.totalValues[table.column])
      let bars = (errors?.ofSelf(row.place), errors?.ofTotal(row.place))
      cells.add(
        values.cells(own, all, bars) + [
          TextTable.harmless(names.text(row.place.line)),
          TextTable.harmless(row.place.function.name),
          TextTable.harmless(row.place.function.module),
        ])
    }
    cells.write(to: &output)
    output.write("\n\(account.line)\n")
  }
}
