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
    func table(_ column: Int) -> (own: [Key: Int64], all: [Key: Int64]) {
      let rows = rows(column)
      return (
        Dictionary(rows.map { ($0.key, $0.selfValue) }) { $0.addingSaturating($1) },
        Dictionary(rows.map { ($0.key, $0.totalValue) }) { $0.addingSaturating($1) }
      )
    }
    let (objects, followed) = (table(columns.objects), table(columns.followed))
    let (base, bytes) = (columns.base.map(table), columns.bytes.map(table))
    let interval = profile.largestInterval
    selfErrors = Self.errors(objects.own, followed.own, base?.own, bytes?.own, interval)
    totalErrors = Self.errors(objects.all, followed.all, base?.all, bytes?.all, interval)
  }

  /// The error of what a row has itself; nil where that is exact.
  public func ofSelf(_ key: Key) -> SamplingError? { selfErrors[key] }

  /// The error of a row's total; nil where that is exact.
  public func ofTotal(_ key: Key) -> SamplingError? { totalErrors[key] }

  /// Of the values of objects, of followed ones and, if they are there, of the base of these and of bytes.
  private static func errors(
    _ objects: [Key: Int64], _ followed: [Key: Int64], _ base: [Key: Int64]?,
    _ bytes: [Key: Int64]?, _ interval: UInt64
  ) -> [Key: SamplingError] {
    var errors: [Key: SamplingError] = [:]
    for (key, objects) in objects {
      var followed = followed[key] ?? 0
      if let base {
        let whole = Int128(max(base[key] ?? 0, 1))
        // At least one, as no estimate is from nothing.
        let part = Int64(clamping: Int128(followed) * Int128(objects) / whole)
        followed = objects > 0 ? max(part, 1) : 0
      }
      errors[key] = SamplingError(
        followed: followed, objects: objects, bytes: bytes?[key] ?? 0, interval: interval)
    }
    return errors
  }
}
