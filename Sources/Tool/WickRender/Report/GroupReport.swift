public import WickProfile

/// What processes, threads, modules, source files or types cost, with an account of how the figures came about.
public struct GroupReport: Sendable {
  /// All groups by self value.
  public let table: GroupTable
  /// How the figures came about.
  let account: ProfileAccount
  /// What sampling leaves open; nil where all is exact.
  let errors: ErrorBars<GroupTable.Group>?
  /// At most this many groups are shown.
  public let limit: Int

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be.
  ///   - grouping: What values are summed by.
  ///   - column: Index into `profile.valueTypes`: what the groups are ranked by.
  ///   - limit: How many groups to show.
  public init(
    _ profile: Profile, by grouping: GroupTable.Grouping, column: Int = 0, limit: Int = 20
  ) {
    account = ProfileAccount(profile, column: column)
    let profile = profile.counting(column)
    table = GroupTable(profile, by: grouping, column: column)
    errors = ErrorBars(profile, column: column) { column in
      GroupTable(profile, by: grouping, column: column).rows.map {
        ($0.group, $0.selfValue, $0.totalValue)
      }
    }
    self.limit = max(0, limit)
  }

  /// The groups shown.
  var rows: ArraySlice<GroupTable.Row> { table.rows.prefix(limit) }
}

extension GroupTable.Grouping {
  /// What several groups are called.
  var plural: String { self == .process ? "processes" : "\(rawValue)s" }
}
