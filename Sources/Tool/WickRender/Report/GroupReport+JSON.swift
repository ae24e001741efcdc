internal import WickProfile

extension GroupReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  ///
  /// The name of what is of no process, thread, module, file or type is null.
  public func writeJSON(to output: inout some TextOutputStream) {
    account.writeReport(
      to: &output, table.grouping.plural, rows, hasProcesses: table.grouping == .process
    ) { json in
      json.value(table.valueType, total: table.total)
      json.integer("\(table.grouping.rawValue)Count", table.rows.count)
    } row: { row, json in
      write(row, to: &json)
    }
  }

  private func write(_ row: GroupTable.Row, to json: inout JSONWriter) {
    json.object { json in
      switch table.grouping {
      case .process: json.process(row)
      case .thread:
        json.string("name", row.name)
        json.integer("pid", row.thread?.pid)
        json.integer("tid", row.thread?.tid)
      case .module, .file, .type: json.string(table.grouping.rawValue, row.name)
      }
      json.values(
        row.selfValue, row.totalValue, of: table.total,
        errors.map { ($0.ofSelf(row.group), $0.ofTotal(row.group)) })
    }
  }
}
