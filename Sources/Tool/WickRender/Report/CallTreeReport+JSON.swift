internal import WickProfile

extension CallTreeReport {
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  ///
  /// Calls stand in one array, each behind its caller, which is the last one before it of a smaller
  /// depth. `percent` is of `treeTotal`, `allPercent` of `total`.
  public func writeJSON(to output: inout some TextOutputStream) {
    var json = JSONWriter()
    var walk = walk
    json.object { json in
      json.integer("version", 1)
      json.string("view", kind.rawValue)
      json.string("pattern", pattern)
      json.value(tree.valueType, total: total)
      json.integer("treeTotal", treeTotal)
      json.integer("callCount", tree.nodes.count - 1)
      json.array("calls") { json in
        while let call = walk.next() {
          write(call, to: &json)
          output.write(json.take())
        }
      }
      json.object("leftOut") { json in
        json.integer("callCount", walk.leftOutCount)
        json.integer("total", walk.leftOutValue)
      }
      account.write(to: &json)
    }
    output.write(json.take())
    output.write("\n")
  }

  private func write(_ call: CallTreeWalk.Call, to json: inout JSONWriter) {
    let (all, own) = (totalValue(call), tree.nodes[call.node].selfValue)
    json.object { json in
      json.integer("depth", tree.nodes[call.node].depth)
      json.string("function", function(call)?.name)
      json.string("module", function(call)?.module)
      if kind != .callers {
        json.integer("self", own)
        json.number("selfPercent", Decimal.percent(own, of: treeTotal))
        if let errors {
          json.interval("selfInterval", errors.ofSelf(call.node)?.interval(of: own))
        }
      }
      json.integer("total", all)
      if errors != nil {
        json.interval("totalInterval", totalError(call)?.interval(of: all))
      }
      json.number("percent", Decimal.percent(all, of: treeTotal))
      json.number("allPercent", Decimal.percent(all, of: total))
    }
  }
}
