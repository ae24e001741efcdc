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
      json.object("accounting") { writeAccounting(to: &$0) }
      json.object("origin") { writeOrigin(to: &$0) }
    }
    output.write(json.take())
    output.write("\n")
  }

  private func write(_ row: FunctionTable.Row, to json: inout JSONWriter) {
    json.object { json in
      json.string("function", row.function.name)
      json.string("module", row.function.module)
      json.integer("self", row.selfValue)
      json.number("selfPercent", Decimal.percent(row.selfValue, of: table.total))
      json.integer("total", row.totalValue)
      json.number("totalPercent", Decimal.percent(row.totalValue, of: table.total))
    }
  }

  private func writeAccounting(to json: inout JSONWriter) {
    json.integer("samples", accounting.samples)
    json.integer("weight", accounting.weight)
    json.integer("expectedWeight", accounting.expectedWeight)
    json.object("lostWeight") { json in
      for loss in accounting.losses { json.integer(loss.statistic, loss.weight) }
    }
    json.integer("truncatedWeight", accounting.truncatedWeight)
    json.integer("framePointerSamples", accounting.framePointerSamples)
    json.integer("cpuNanoseconds", accounting.cpuNanoseconds)
    json.integer("sampledNanoseconds", accounting.sampledNanoseconds)
    json.integer("unsampledNanoseconds", accounting.unsampledNanoseconds)
  }

  private func writeOrigin(to json: inout JSONWriter) {
    json.integer("rateHertz", origin.rateHertz)
    json.number("deliveredHertz", deliveredHertz)
    json.integer("periodNanoseconds", origin.periodNanoseconds)
    json.integer("startRealtimeNanoseconds", origin.startRealtimeNanoseconds)
    json.integer("durationNanoseconds", origin.durationNanoseconds)
    json.bool("isIncomplete", origin.isIncomplete)
    json.array("warnings") { json in
      for warning in origin.warnings { json.string(nil, warning) }
    }
    json.array("processes") { json in
      for process in origin.processes {
        json.object { json in
          json.integer("pid", process.pid)
          json.string("endReason", process.endReason)
          json.bool("isUserOnly", process.isUserOnly)
          json.object("info") { json in
            for (key, value) in process.info.sorted(by: { $0.key < $1.key }) {
              json.string(key, value)
            }
          }
          json.array("blockedThreads") { json in
            for thread in process.blockedThreads {
              json.object { json in
                json.integer("tid", thread.tid)
                json.string("name", thread.name)
                json.integer("cpuNanoseconds", thread.cpuNanoseconds)
              }
            }
          }
          json.object("statistics") { json in
            for (key, value) in process.statistics.sorted(by: { $0.key < $1.key }) {
              json.integer(key, value)
            }
          }
        }
      }
    }
  }
}
