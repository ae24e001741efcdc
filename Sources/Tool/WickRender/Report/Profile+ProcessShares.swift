public import WickProfile

extension Profile {
  /// More processes than this are only summed.
  private static let shownProcessLimit = 4

  /// What each process takes: "worker (pid 12) 60.00 %, sh (pid 11) 40.00 %".
  ///
  /// - Parameter column: What is counted.
  /// - Returns: A list; nil where not several have samples.
  public func processShares(column: Int = 0) -> String? {
    processShares(GroupTable(self, by: .process, column: column))
  }

  /// How many processes there are and what each takes, of a table of these: "3: worker (pid 12) …".
  ///
  /// - Returns: A phrase; nil where there is one process, or none is known.
  func processText(_ table: GroupTable) -> String? {
    let (count, sampled) = (processes.count, table.rows.count { $0.process != nil })
    guard count > 1 else { return nil }
    let text = sampled < count ? "\(count), \(sampled) with samples" : "\(count)"
    return processShares(table).map { "\(text): \($0)" } ?? text
  }

  private func processShares(_ table: GroupTable) -> String? {
    let rows = table.rows.filter { $0.process != nil }
    guard rows.count > 1 else { return nil }
    func share(_ rows: some Sequence<GroupTable.Row>) -> String {
      let sum = rows.reduce(Int64(0)) { $0.addingSaturating($1.totalValue) }
      return "\(Decimal.percent(sum, of: table.total)) %"
    }
    var parts = rows.prefix(Self.shownProcessLimit).map { row in
      "\(row.process?.title ?? "") \(share([row]))"
    }
    let rest = rows.dropFirst(Self.shownProcessLimit)
    if !rest.isEmpty { parts.append("\(rest.count) more \(share(rest))") }
    return TextTable.harmless(parts.joined(separator: ", "))
  }
}
