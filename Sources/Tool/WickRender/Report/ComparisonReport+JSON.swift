internal import WickProfile

extension ComparisonReport {
  /// Writes all functions and all call paths as JSON; `version` rises when a key changes its meaning.
  ///
  /// Call paths stand in depth-first order, callers first; `function` is an index into `functions`.
  public func writeJSON(to output: inout some TextOutputStream) {
    var json = JSONWriter()
    let type = comparison.profile.valueTypes[0]
    json.object { json in
      json.integer("version", 1)
      json.object("value") { json in
        json.string("name", type.name)
        json.string("unit", type.unit)
      }
      json.integer("totalBefore", totals.before)
      json.integer("totalAfter", totals.after)
      json.integer("unscaledTotalBefore", comparison.unscaledTotalBefore)
      json.number("scale", Self.factor(comparison.scale))
      json.integer("noiseDeviations", Int(Comparison.deviations))
      var places: [CallTree.Function: Int] = [:]
      json.array("functions") { json in
        for (index, row) in rows.enumerated() {
          places[row.function] = index
          write(row, to: &json)
          output.write(json.take())
        }
      }
      json.array("paths") { json in
        writePaths(places, to: &json) { output.write($0.take()) }
      }
      for (label, account) in accounts {
        json.object(label) { account.write(to: &$0) }
      }
    }
    output.write(json.take())
    output.write("\n")
  }

  private func write(_ row: Comparison.Row, to json: inout JSONWriter) {
    json.object { json in
      json.string("function", row.function.name)
      json.string("module", row.function.module)
      json.string("change", change(row))
      json.integer("selfBefore", row.selfValues.before)
      json.integer("selfAfter", row.selfValues.after)
      json.integer("selfDifference", row.selfDifference)
      json.integer("totalBefore", row.totalValues.before)
      json.integer("totalAfter", row.totalValues.after)
      json.integer("totalDifference", row.totalDifference)
      json.bool("isSelfNoise", comparison.isNoise(row.selfValues))
      json.bool("isTotalNoise", comparison.isNoise(row.totalValues))
    }
  }

  private func writePaths(
    _ places: [CallTree.Function: Int], to json: inout JSONWriter,
    flush: (inout JSONWriter) -> Void
  ) {
    let paths = CallPaths(comparison.profile, columns: [0, 1])
    var (depth, levels) = (0, 0)
    var node: Int? = 0
    while let current = node {
      let function = paths.function(of: current)
      json.object { json in
        json.integer("depth", depth)
        json.integer("function", function < 0 ? nil : places[paths.functions[function]])
        json.integer("selfBefore", paths.selfValues[1][current])
        json.integer("selfAfter", paths.selfValues[0][current])
        json.integer("totalBefore", paths.totalValues[1][current])
        json.integer("totalAfter", paths.totalValues[0][current])
        json.integer(
          "totalDifference",
          paths.totalValues[0][current].addingSaturating(0 &- paths.totalValues[1][current]))
      }
      flush(&json)
      node = paths.next(after: current, levels: &levels)
      depth += levels
    }
  }
}
