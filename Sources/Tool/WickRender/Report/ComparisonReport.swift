public import WickProfile

/// What changed between two profiles, function by function.
public struct ComparisonReport: Sendable {
  /// The two profiles.
  public let comparison: Comparison
  /// At most this many functions are shown as text.
  public let limit: Int
  let rows: [Comparison.Row]
  let totals: (before: Int64, after: Int64)
  let unit: String
  /// What was sampled and lost, before and after, where the profiles tell.
  let accounts: [(label: String, account: ProfileAccount)]

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - comparison: The two profiles, merged.
  ///   - limit: How many functions to show as text.
  ///   - sources: The two as they were read: what was lost of them is told.
  public init(
    _ comparison: Comparison, limit: Int = 20, sources: (before: Profile, after: Profile)? = nil
  ) {
    accounts =
      sources.map {
        [("before", ProfileAccount($0.before)), ("after", ProfileAccount($0.after))]
      } ?? []
    self.comparison = comparison
    self.limit = max(0, limit)
    rows = comparison.functions
    totals = (comparison.profile.total(of: 1), comparison.profile.total(of: 0))
    unit = comparison.profile.valueTypes[0].unit
  }

  /// What became of a function.
  func change(_ row: Comparison.Row) -> String {
    let isSelfNoise = comparison.isNoise(row.selfValues)
    if isSelfNoise, comparison.isNoise(row.totalValues) { return "within noise" }
    if row.totalValues.before == 0 { return "new" }
    if row.totalValues.after == 0 { return "gone" }
    let difference = isSelfNoise ? row.totalDifference : row.selfDifference
    return difference > 0 ? "more" : "less"
  }
}
