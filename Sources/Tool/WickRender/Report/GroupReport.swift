public import WickProfile

/// What processes, threads, modules or source files cost, with an account of how the figures came about.
public struct GroupReport: Sendable {
  /// All groups by self value.
  public let table: GroupTable
  /// How the figures came about.
  let account: ProfileAccount
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
    table = GroupTable(profile, by: grouping, column: column)
    account = ProfileAccount(profile, column: column)
    self.limit = max(0, limit)
  }

  /// The groups shown.
  var rows: ArraySlice<GroupTable.Row> { table.rows.prefix(limit) }
}

extension GroupTable.Grouping {
  /// What several groups are called.
  var plural: String { self == .process ? "processes" : "\(rawValue)s" }
}
