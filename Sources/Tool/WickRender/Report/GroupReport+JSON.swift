internal import WickProfile

extension GroupReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  ///
  /// The name of what is of no process, thread, module, file or type is null.
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
      json.array(table.grouping.plural) { json in
        for row in rows {
          write(row, to: &json)
          output.write(json.take())
        }
      }
      account.write(to: &json, hasProcesses: table.grouping == .process)
    }
    output.write(json.take())
    output.write("\n")
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
