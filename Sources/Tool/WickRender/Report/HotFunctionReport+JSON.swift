internal import WickProfile

extension HotFunctionReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  public func writeJSON(to output: inout some TextOutputStream) {
    var json = JSONWriter()
    json.object { json in
      json.integer("version", 1)
      json.object("value") { json in
        json.string("name", table.valueType.name)
        json.string("unit", table.valueType.unit)
      }
      json.integer("total", table.total)
      json.integer("functionCount", table.rows.count)
      json.array("functions") { json in
        for row in rows {
          write(row, to: &json)
          output.write(json.take())
        }
      }
      account.write(to: &json)
    }
    output.write(json.take())
    output.write("\n")
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
