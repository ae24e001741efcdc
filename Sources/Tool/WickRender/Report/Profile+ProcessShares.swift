public import WickProfile

extension Profile {
  /// More processes than this are summed by program, and more programs than this together.
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
    let limit = Self.shownProcessLimit
    let groups = rows.count > limit ? Self.byPrograms(rows) : rows.map { [$0] }
    func share(_ groups: some Sequence<[GroupTable.Row]>) -> String {
      "\(Decimal.percent(Self.sum(groups.joined()), of: table.total)) %"
    }
    var parts = groups.prefix(limit).compactMap { group in
      group[0].process.map { process in
        let programs = process.programs.joined(separator: " → ")
        let kind = programs.isEmpty ? process.name : programs
        let name = group.count > 1 ? "\(kind) (\(group.count) processes)" : process.title
        return "\(name) \(share([group]))"
      }
    }
    let rest = groups.dropFirst(limit)
    if !rest.isEmpty {
      parts.append("\(rest.reduce(0) { $0 + $1.count }) more \(share(rest))")
    }
    return TextTable.harmless(parts.joined(separator: ", "))
  }

  /// Rows of the same programs together, the dearest first; of equal ones that whose first row comes first.
  private static func byPrograms(_ rows: [GroupTable.Row]) -> [[GroupTable.Row]] {
    var places: [[String]: Int] = [:]
    var groups: [[GroupTable.Row]] = []
    for row in rows {
      let programs = row.process?.programs ?? []
      if let place = places[programs] {
        groups[place].append(row)
      } else {
        places[programs] = groups.count
        groups.append([row])
      }
    }
    return groups.enumerated().sorted { first, second in
      let (one, other) = (sum(first.element), sum(second.element))
      return one != other ? one > other : first.offset < second.offset
    }.map(\.element)
  }

  private static func sum(_ rows: some Sequence<GroupTable.Row>) -> Int64 {
    rows.reduce(0) { $0.addingSaturating($1.totalValue) }
  }
}
