internal import WickProfile

extension HotFunctionReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  public func writeJSON(to output: inout some TextOutputStream) {
    account.writeReport(to: &output, "functions", rows) { json in
      json.value(table.valueType, total: table.total)
      json.integer("functionCount", table.rows.count)
    } row: { row, json in
      write(row, to: &json)
    }
  }

  private func write(_ row: FunctionTable.Row, to json: inout JSONWriter) {
    json.object { json in
      json.string("function", row.function.name)
      json.string("module", row.function.module)
      json.values(
        row.selfValue, row.totalValue, of: table.total,
        errors.map { ($0.ofSelf(row.function), $0.ofTotal(row.function)) })
    }
  }
}
