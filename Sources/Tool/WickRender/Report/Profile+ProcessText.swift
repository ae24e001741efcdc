public import WickProfile

extension Profile {
  /// More processes than this are only summed.
  private static let shownProcessLimit = 4

  /// How many processes there are and what each takes: "3: worker (pid 12) 60.00 %, …".
  ///
  /// - Parameter column: What is counted.
  /// - Returns: A phrase; nil where there is one process, or none is known.
  public func processText(column: Int = 0) -> String? {
    processText(GroupTable(self, by: .process, column: column))
  }

  func processText(_ table: GroupTable) -> String? {
    let count = processes.count
    guard count > 1 else { return nil }
    let rows = table.rows.filter { $0.process != nil }
    guard !rows.isEmpty else { return "\(count)" }
    func share(_ rows: some Sequence<GroupTable.Row>) -> String {
      let sum = rows.reduce(Int64(0)) { $0.addingSaturating($1.totalValue) }
      return "\(Decimal.percent(sum, of: table.total)) %"
    }
    var parts = rows.prefix(Self.shownProcessLimit).map { row in
      "\(row.process?.title ?? "") \(share([row]))"
    }
    let rest = rows.dropFirst(Self.shownProcessLimit)
    if !rest.isEmpty { parts.append("\(rest.count) more \(share(rest))") }
    let sampled = rows.count < count ? ", \(rows.count) with samples" : ""
    return TextTable.harmless("\(count)\(sampled): \(parts.joined(separator: ", "))")
  }
}
