public import WickProfile

/// The functions that cost most, with an account of how the figures came about.
public struct HotFunctionReport: Sendable {
  /// All functions by self value.
  public let table: FunctionTable
  /// What was sampled and what was lost.
  public let accounting: SampleAccounting
  /// How the profile was taken.
  public let origin: Origin
  /// At most this many functions are shown.
  public let limit: Int

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be.
  ///   - column: Index into `profile.valueTypes`: what the functions are ranked by.
  ///   - limit: How many functions to show.
  public init(_ profile: Profile, column: Int = 0, limit: Int = 20) {
    table = FunctionTable(CallTree(profile, column: column))
    accounting = SampleAccounting(profile)
    origin = profile.origin
    self.limit = max(0, limit)
  }

  /// The functions shown.
  var rows: ArraySlice<FunctionTable.Row> { table.rows.prefix(limit) }

  /// Samples per second of CPU time, with two digits; nil where the CPU time is not known.
  var deliveredHertz: String? {
    guard let cpu = accounting.cpuNanoseconds, cpu > 0 else { return nil }
    return Decimal.text(1_000_000_000 * Int128(accounting.weight), dividedBy: cpu, digits: 2)
  }
}
