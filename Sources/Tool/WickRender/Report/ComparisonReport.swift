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

  /// Makes a report.
  public init(_ comparison: Comparison, limit: Int = 20) {
    self.comparison = comparison
    self.limit = max(0, limit)
    rows = comparison.functions
    totals = (comparison.profile.total(of: 1), comparison.profile.total(of: 0))
    unit = comparison.profile.valueTypes[0].unit
  }

  /// Whether a difference may be chance.
  func isNoise(_ values: (before: Int64, after: Int64)) -> Bool {
    let difference = Double(values.after) - Double(values.before)
    return abs(difference) <= comparison.noise(before: values.before, after: values.after)
  }

  /// What became of a function.
  func change(_ row: Comparison.Row) -> String {
    if isNoise(row.totalValues), isNoise(row.selfValues) { return "within noise" }
    if row.totalValues.before == 0 { return "new" }
    if row.totalValues.after == 0 { return "gone" }
    let difference =
      isNoise(row.selfValues) ? row.totalDifference : row.selfDifference
    return difference > 0 ? "more" : "less"
  }
}
