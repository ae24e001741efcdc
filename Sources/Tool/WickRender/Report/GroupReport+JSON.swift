internal import WickProfile

extension GroupReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  ///
  /// The name of what is of no thread, module or file is null.
  public func writeJSON(to output: inout some TextOutputStream) {
    var json = JSONWriter()
    json.object { json in
      json.integer("version", 1)
      json.object("value") { json in
        json.string("name", table.valueType.name)
        json.string("unit", table.valueType.unit)
      }
      json.integer("total", table.total)
      json.integer("\(table.grouping.rawValue)Count", table.rows.count)
      json.array("\(table.grouping.rawValue)s") { json in
        for row in rows {
          write(row, to: &json)
          output.write(json.take())
        }
      }
      account.writeFilter(to: &json)
      json.object("accounting") { account.writeAccounting(to: &$0) }
      json.object("origin") { account.writeOrigin(to: &$0) }
    }
    output.write(json.take())
    output.write("\n")
  }

  private func write(_ row: GroupTable.Row, to json: inout JSONWriter) {
    json.object { json in
      json.string(table.grouping == .thread ? "name" : table.grouping.rawValue, row.name)
      if table.grouping == .thread {
        json.integer("pid", row.thread?.pid)
        json.integer("tid", row.thread?.tid)
      }
      json.integer("self", row.selfValue)
      json.number("selfPercent", Decimal.percent(row.selfValue, of: table.total))
      json.integer("total", row.totalValue)
      json.number("totalPercent", Decimal.percent(row.totalValue, of: table.total))
    }
  }
}
