internal import WickProfile

extension LeakReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  ///
  /// `types` has null for what is of no known type; `frames` stand innermost first.
  public func writeJSON(to output: inout some TextOutputStream) {
    account.writeReport(to: &output, "stacks", rows) { json in
      json.string("view", "leaks")
      json.integer("objects", table.total.objects)
      json.integer("bytes", table.total.bytes)
      json.integer("leastAgeNanoseconds", table.hasAges ? table.leastAge : nil)
      json.object("younger") { json in
        json.integer("objects", table.young.objects)
        json.integer("bytes", table.young.bytes)
      }
      json.integer("stackCount", table.rows.count)
    } row: { row, json in
      write(row, to: &json)
    }
  }

  private func write(_ row: LeakTable.Row, to json: inout JSONWriter) {
    json.object { json in
      json.integer("objects", row.objects)
      json.integer("bytes", row.bytes)
      json.number("percent", Decimal.percent(row.bytes, of: table.total.bytes))
      if isSampled {
        json.interval("objectsInterval", row.error.interval(of: row.objects))
        json.interval("bytesInterval", row.error.interval(of: row.bytes))
      }
      json.integer("meanAgeNanoseconds", row.meanAge)
      json.array("types") { json in for type in row.types { json.string(nil, type) } }
      json.array("frames") { json in
        for frame in frames(of: row) {
          json.object { json in json.place(LineTable.Place(frame, in: table.profile)) }
        }
      }
    }
  }
}
