public import WickProfile

/// The source lines that cost most, with an account of how the figures came about.
public struct HotLineReport: Sendable {
  /// All lines by self value.
  public let table: LineTable
  /// How the figures came about.
  let account: ProfileAccount
  /// What sampling leaves open; nil where all is exact.
  let errors: ErrorBars<LineTable.Place>?
  /// Short names of the files in `table`.
  let names: SourceNames
  /// At most this many lines are shown.
  public let limit: Int

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be.
  ///   - column: Index into `profile.valueTypes`: what the lines are ranked by.
  ///   - limit: How many lines to show.
  public init(_ profile: Profile, column: Int = 0, limit: Int = 20) {
    account = ProfileAccount(profile, column: column)
    let profile = profile.counting(column).endingInOwnCode(for: column)
    let table = LineTable(profile, column: column)
    self.table = table
    errors = ErrorBars(profile, column: column) { column in
      table.rows.map { ($0.place, $0.selfValues[column], $0.totalValues[column]) }
    }
    names = SourceNames(table.rows.compactMap(\.place.line.file))
    self.limit = max(0, limit)
  }

  /// The lines shown.
  var rows: ArraySlice<LineTable.Row> { table.rows.prefix(limit) }

  /// What is counted.
  var valueType: ValueType { table.valueTypes[table.column] }

  /// Sum over all stacks.
  var total: Int64 { table.totals[table.column] }

  /// Value counted in lines themselves that are known.
  var knownValue: Int64 {
    table.rows.reduce(0) { sum, row in
      row.place.line.line == 0 ? sum : sum.addingSaturating(row.selfValues[table.column])
    }
  }
}
