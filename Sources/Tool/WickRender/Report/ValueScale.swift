internal import WickProfile

/// One unit for a whole column of values, picked by the largest.
struct ValueScale {
  private let divisor: Int64
  private let digits: Int
  private let suffix: String

  /// Picks a unit.
  ///
  /// - Parameters:
  ///   - unit: Base unit, as in `ValueType`.
  ///   - largest: The largest value to be shown.
  init(unit: String, largest: Int64) {
    let steps: [(Int64, String)]
    switch unit {
    case "nanoseconds": steps = [(1_000_000_000, " s"), (1_000_000, " ms"), (1000, " µs")]
    case "milliseconds": steps = [(1000, " s")]
    case "bytes": steps = [(1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB")]
    default:
      (divisor, digits, suffix) = (1, 0, "")
      return
    }
    if let step = steps.first(where: { largest >= $0.0 }) {
      (divisor, digits, suffix) = (step.0, 3, step.1)
    } else {
      let suffixes = ["bytes": " B", "milliseconds": " ms"]
      (divisor, digits, suffix) = (1, 0, suffixes[unit] ?? " ns")
    }
  }

  /// The value with its unit.
  func text(_ value: Int64) -> String {
    Decimal.text(value, dividedBy: divisor, digits: digits) + suffix
  }

  /// A time in the unit that suits it.
  static func time(_ nanoseconds: UInt64) -> String {
    let value = Int64(clamping: nanoseconds)
    return ValueScale(unit: "nanoseconds", largest: value).text(value)
  }
}
