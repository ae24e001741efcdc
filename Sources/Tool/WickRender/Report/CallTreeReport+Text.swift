internal import WickProfile

extension CallTreeReport {
  /// More branches than this are not drawn beside each other; the depth is said instead.
  private static let railLimit = 24
  /// Fewer callers than this are written again.
  private static let leastTail = 3
  private static let gap = "  "

  /// Writes the report as aligned text without color.
  ///
  /// A call stands below its caller, and right of it only where the caller has several callees that
  /// are shown: chains stay straight. The same way from several callers to the entry is written once.
  public func writeText(to output: inout some TextOutputStream) {
    account.writeFacts(to: &output)
    let scale = ValueScale(unit: tree.valueType.unit, largest: total)
    let whole = "\(scale.text(total)) \(TextTable.harmless(tree.valueType.name))"
    output.write("\n\(title(whole))\n\n")
    let width = max(5, scale.text(treeTotal).count)
    writeLine(
      titles, width: width, name: kind == .callers ? "function, below it its callers" : "function",
      to: &output)
    var walk = walk
    // Where calls are counted, a tail may be written in part.
    var tails = kind == .callers && limit.count == nil ? CallTreeTails(tree) : nil
    let names = tree.functions.map(Self.name)
    while let call = walk.next() {
      var text = place(call, rails: walk.rails)
      text += call.node == 0 ? "(no function)" : names[tree.nodes[call.node].function]
      if tails?.write(call.node) == true, let rest = tails?.restCounts[call.node],
        rest >= Self.leastTail
      {
        text += " … and \(rest) callers as above"
        walk.skipCallees()
      }
      writeLine(cells(call, scale), width: width, name: text, to: &output)
    }
    let percent = Decimal.percent(walk.leftOutValue, of: total)
    let count = walk.leftOutCount
    let calls = count == 1 ? "1 call" : "\(count) calls"
    let leftOut = count == 0 ? "nothing" : "\(calls), \(percent) % of \(whole)"
    output.write("\nLeft out: \(leftOut)\n\n\(account.line)\n")
  }

  private func title(_ whole: String) -> String {
    let least = Decimal.text(limit.hundredthsOfPercent, dividedBy: 100, digits: 2)
    let dearest = limit.count.map { ", at most \($0)" } ?? ""
    let shown = "those of \(least) % and more\(dearest)"
    guard let pattern else { return "Calls of \(whole), \(shown)" }
    let percent = Decimal.percent(treeTotal, of: total)
    let functions = matchCount == 1 ? "1 function" : "\(matchCount) functions"
    return "\(kind == .callers ? "Callers" : "Callees") of '\(TextTable.harmless(pattern))' "
      + "(\(functions), \(percent) % of \(whole)), \(shown)"
  }

  /// Titles of what `cells` gives.
  private var titles: [String] {
    let titles =
      switch kind {
      case .tree: ["total %", "self %", "total"]
      case .callers: ["of F %", "of all %", "total"]
      case .callees: ["of F %", "of all %", "self %", "total"]
      }
    return errors == nil ? titles : titles + ["    ±"]
  }

  private func cells(_ call: CallTreeWalk.Call, _ scale: ValueScale) -> [String] {
    let (all, own) = (totalValue(call), tree.nodes[call.node].selfValue)
    let part = Decimal.percent(all, of: treeTotal)
    let value = [scale.text(all)] + (errors == nil ? [] : [totalError(call)?.text ?? ""])
    switch kind {
    case .tree: return [part, Decimal.percent(own, of: treeTotal)] + value
    case .callers: return [part, Decimal.percent(all, of: total)] + value
    case .callees:
      return [part, Decimal.percent(all, of: total), Decimal.percent(own, of: treeTotal)] + value
    }
  }

  private func writeLine(
    _ cells: [String], width: Int, name: String, to output: inout some TextOutputStream
  ) {
    var line = ""
    for (cell, title) in zip(cells, titles) {
      let width = title == "total" ? width : title.count
      line += String(repeating: " ", count: max(0, width - cell.count)) + cell + Self.gap
    }
    output.write("\(line)\(name)\n")
  }

  /// The lines that lead to a call.
  private func place(_ call: CallTreeWalk.Call, rails: [Bool]) -> String {
    var text = ""
    for (index, isLast) in rails.prefix(Self.railLimit).enumerated() {
      if call.isBranch, index == rails.count - 1 {
        text += isLast ? "└ " : "├ "
      } else {
        text += isLast ? "  " : "│ "
      }
    }
    if rails.count > Self.railLimit { text += "[\(tree.nodes[call.node].depth)] " }
    return text
  }

  private static func name(_ function: CallTree.Function) -> String {
    let name = TextTable.harmless(function.name)
    // Processes and threads have none.
    let hasModule = !function.module.isEmpty && CodeOwner(function).isCode
    return !hasModule ? name : name + gap + TextTable.harmless(function.module)
  }
}
