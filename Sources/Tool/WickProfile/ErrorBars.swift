/// The sampling errors of a table of allocations: of what is counted in each row itself, and of its
/// total.
public struct ErrorBars<Key: Hashable & Sendable>: Sendable {
  /// A row in some column.
  public typealias Row = (key: Key, selfValue: Int64, totalValue: Int64)

  private let selfErrors: [Key: SamplingError]
  private let totalErrors: [Key: SamplingError]

  /// Finds the errors of a table's rows; nil where the column's values are exact.
  ///
  /// - Parameters:
  ///   - profile: What the table is of.
  ///   - column: What it counts.
  ///   - rows: Makes the same table of another column.
  public init?(_ profile: Profile, column: Int, rows: (_ column: Int) -> [Row]) {
    guard let columns = profile.samplingColumns(of: column) else { return nil }
    let parts = ([columns.objects, columns.followed] + (columns.base.map { [$0] } ?? [])).map(rows)
    selfErrors = Self.errors(parts.map { $0.map { ($0.key, $0.selfValue) } })
    totalErrors = Self.errors(parts.map { $0.map { ($0.key, $0.totalValue) } })
  }

  /// The error of what a row has itself; nil where that is exact.
  public func ofSelf(_ key: Key) -> SamplingError? { selfErrors[key] }

  /// The error of a row's total; nil where that is exact.
  public func ofTotal(_ key: Key) -> SamplingError? { totalErrors[key] }

  /// Of the values of objects, of followed ones and, if it is there, of the base of these.
  private static func errors(_ parts: [[(Key, Int64)]]) -> [Key: SamplingError] {
    let maps = parts.map { Dictionary($0, uniquingKeysWith: { $0.addingSaturating($1) }) }
    var errors: [Key: SamplingError] = [:]
    for (key, objects) in maps[0] {
      var followed = maps[1][key] ?? 0
      if maps.count > 2 {
        let whole = Int128(max(maps[2][key] ?? 0, 1))
        // At least one, as no estimate is from nothing.
        let part = Int64(clamping: Int128(followed) * Int128(objects) / whole)
        followed = objects > 0 ? max(part, 1) : 0
      }
      errors[key] = SamplingError(followed: followed, objects: objects)
    }
    return errors
  }
}
