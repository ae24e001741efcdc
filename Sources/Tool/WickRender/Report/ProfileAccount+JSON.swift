internal import WickProfile

extension ProfileAccount {
  /// Writes what all forms have: `filter`, `processes`, `accounting` and `origin`.
  ///
  /// - Parameters:
  ///   - json: Receives the keys, into an open object.
  ///   - hasProcesses: Whether the form has `processes` of its own.
  func write(to json: inout JSONWriter, hasProcesses: Bool = false) {
    writeFilter(to: &json)
    if !hasProcesses {
      json.array("processes") { json in
        for row in processes.rows where row.process != nil {
          json.object { json in
            json.process(row)
            json.integer("total", row.totalValue)
            json.number("totalPercent", Decimal.percent(row.totalValue, of: processes.total))
          }
        }
      }
    }
    json.object("accounting") { writeAccounting(to: &$0) }
    json.object("origin") { writeOrigin(to: &$0) }
  }

  /// Writes which part of the profile is shown as `filter`; null for all of it.
  private func writeFilter(to json: inout JSONWriter) {
    guard let excerpt = origin.excerpt else {
      json.string("filter", String?.none)
      return
    }
    json.object("filter") { json in
      let options = [
        ("focus", excerpt.focus), ("ignore", excerpt.ignore), ("hide", excerpt.hide),
        ("unmatched", excerpt.unmatched),
      ]
      for (key, patterns) in options {
        json.array(key) { json in
          for pattern in patterns { json.string(nil, pattern) }
        }
      }
      json.integer("wholeTotal", totals.whole)
      json.number("percent", Decimal.percent(totals.shown, of: totals.whole))
    }
  }

  /// Writes what was sampled and lost.
  private func writeAccounting(to json: inout JSONWriter) {
    json.integer("samples", accounting.samples)
    json.integer("weight", accounting.weight)
    json.integer("expectedWeight", accounting.expectedWeight)
    json.object("lostWeight") { json in
      for loss in accounting.losses { json.integer(loss.statistic, loss.weight) }
    }
    if let allocations = accounting.allocations {
      json.object("allocations") { allocations.write(to: &$0) }
    }
    json.integer("truncatedWeight", accounting.truncatedWeight)
    json.integer("framePointerSamples", accounting.framePointerSamples)
    json.integer("cpuNanoseconds", accounting.cpuNanoseconds)
    json.integer("sampledNanoseconds", accounting.sampledNanoseconds)
    json.integer("unsampledNanoseconds", accounting.unsampledNanoseconds)
  }

  /// Writes how the profile was taken.
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
          if let heap = process.heap { write(heap, to: &json) }
        }
      }
    }
  }
}

extension ProfileAccount {
  /// Writes a whole report: its head, an array of its rows, and the account.
  ///
  /// Rows are handed on one by one, as there may be many.
  ///
  /// - Parameters:
  ///   - output: Receives the text.
  ///   - key: What the array of rows is called.
  ///   - rows: The rows.
  ///   - hasProcesses: Whether the form has `processes` of its own.
  ///   - head: Writes what stands before the rows.
  ///   - body: Writes a row.
  func writeReport<Row>(
    to output: inout some TextOutputStream, _ key: String, _ rows: some Sequence<Row>,
    hasProcesses: Bool = false, head: (inout JSONWriter) -> Void,
    row body: (Row, inout JSONWriter) -> Void
  ) {
    var json = JSONWriter()
    json.object { json in
      json.integer("version", 1)
      head(&json)
      json.array(key) { json in
        for row in rows {
          body(row, &json)
          output.write(json.take())
        }
      }
      write(to: &json, hasProcesses: hasProcesses)
    }
    output.write(json.take())
    output.write("\n")
  }
}

extension JSONWriter {
  /// Writes what is counted, into an open object.
  mutating func value(_ type: ValueType, total: Int64) {
    object("value") { json in
      json.string("name", type.name)
      json.string("unit", type.unit)
    }
    integer("total", total)
  }
}

extension ProfileAccount {
  /// Writes live bytes and objects over time as `heap`.
  private func write(_ heap: HeapHistory, to json: inout JSONWriter) {
    json.array("heap") { json in
      for point in heap.points {
        json.object { json in
          json.integer("nanoseconds", point.nanoseconds)
          json.integer("bytes", point.bytes)
          json.integer("objects", point.objects)
        }
      }
    }
  }
}

extension JSONWriter {
  /// Writes the keys of a process into an open object; of no process they are null.
  mutating func process(_ row: GroupTable.Row) {
    string("name", row.name)
    integer("pid", row.process?.pid)
    array("programs") { json in
      for program in row.process?.programs ?? [] { json.string(nil, program) }
    }
    string("command", row.process?.command)
  }
}
