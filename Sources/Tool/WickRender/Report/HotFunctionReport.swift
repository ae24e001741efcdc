public import WickProfile

/// The functions that cost most, with an account of how the figures came about.
public struct HotFunctionReport: Sendable {
  /// All functions by self value.
  public let table: FunctionTable
  /// How the figures came about.
  let account: ProfileAccount
  /// What sampling leaves open; nil where all is exact.
  let errors: ErrorBars<CallTree.Function>?
  /// At most this many functions are shown.
  public let limit: Int

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be.
  ///   - column: Index into `profile.valueTypes`: what the functions are ranked by.
  ///   - limit: How many functions to show.
  public init(_ profile: Profile, column: Int = 0, limit: Int = 20) {
    account = ProfileAccount(profile, column: column)
    let profile = profile.counting(column)
    table = FunctionTable(CallTree(profile, column: column))
    errors = ErrorBars(profile, column: column) { column in
      FunctionTable(CallTree(profile, column: column)).rows.map {
        ($0.function, $0.selfValue, $0.totalValue)
      }
    }
    self.limit = max(0, limit)
  }

  /// The functions shown.
  var rows: ArraySlice<FunctionTable.Row> { table.rows.prefix(limit) }
}
