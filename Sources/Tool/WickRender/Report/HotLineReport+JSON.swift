internal import WickProfile

extension HotLineReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  ///
  /// What is not known is null: `file`, and `line`.
  public func writeJSON(to output: inout some TextOutputStream) {
    account.writeReport(to: &output, "lines", rows) { json in
      json.value(valueType, total: total)
      json.integer("lineCount", table.rows.count)
    } row: { row, json in
      write(row, to: &json)
    }
  }

  private func write(_ row: LineTable.Row, to json: inout JSONWriter) {
    let (own, all) = (row.selfValues[table.column], row.totalValues[table.column])
    json.object { json in
      json.place(row.place)
      json.values(
        own, all, of: total, errors.map { ($0.ofSelf(row.place), $0.ofTotal(row.place)) })
    }
  }
}

extension JSONWriter {
  /// Writes the keys of a place into an open object.
  mutating func place(_ place: LineTable.Place) {
    string("file", place.line.file)
    integer("line", place.line.line == 0 ? nil : place.line.line)
    string("function", place.function.name)
    string("module", place.function.module)
  }
}
