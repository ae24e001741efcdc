/// Numbers as reports show them: integers divided and rounded without floating point.
enum Decimal {
  /// `value` ÷ `divisor` (> 0) with a fixed number of digits after the point, rounded half up.
  static func text(
    _ value: some BinaryInteger, dividedBy divisor: some BinaryInteger, digits: Int
  ) -> String {
    let scale = (0..<digits).reduce(Int128(1)) { power, _ in power * 10 }
    let (value, divisor) = (Int128(value), Int128(divisor))
    let rounded = (abs(value) * scale + divisor / 2) / divisor
    let sign = value < 0 && rounded > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(rounded)" }
    let fraction = String(rounded % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(sign)\(rounded / scale).\(zeros)\(fraction)"
  }

  /// `value` as a percentage of `total` with two digits, without the sign; 0.00 of nothing.
  static func percent(_ value: Int64, of total: Int64) -> String {
    total > 0 ? text(100 * Int128(value), dividedBy: total, digits: 2) : "0.00"
  }
}
