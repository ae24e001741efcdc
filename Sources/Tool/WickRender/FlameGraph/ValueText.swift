import WickProfile

/// Writes counts, units and shares for people.
struct ValueText: Sendable {
  private let noun: String
  private let isOfBytes: Bool

  /// Creates a writer of a type's values, which may be called otherwise.
  init(_ type: ValueType, countName: String? = nil) {
    isOfBytes = countName == nil && type.unit == "bytes"
    if let countName {
      noun = countName
      return
    }
    switch type.unit {
    case "count": noun = type.name
    case "nanoseconds": noun = "ns"
    default: noun = type.unit
    }
  }

  /// A value with its unit, such as `1,234 samples`; bytes in the unit that suits them.
  func text(_ value: Int64) -> String {
    if isOfBytes { return ValueScale(unit: "bytes", largest: value).text(value) }
    let plural = value != 1 || noun == "ns" || !noun.hasSuffix("s")
    return "\(Self.grouped(value)) \(plural ? noun[...] : noun.dropLast())"
  }

  /// The unit in the plural.
  var unit: String { noun }

  /// An integer with a comma before every third digit from the right.
  static func grouped(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var result = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }

  /// A share in percent with two decimals, halves rounded up, such as `12.50%`.
  static func percent(_ value: Int64, of total: Int64) -> String {
    decimal(scaled(value, of: total, to: 10_000, roundingHalfUp: true), decimals: 2) + "%"
  }

  /// A position in percent with at most four decimals, rounded down.
  ///
  /// Neighbors that meet in units meet in the picture too: each is from position to position.
  static func position(_ value: Int64, of total: Int64) -> Position {
    Position(millionths: scaled(value, of: total, to: 1_000_000, roundingHalfUp: false))
  }

  /// A part of the picture's width.
  struct Position: Sendable {
    var millionths: UInt64

    /// The attribute's value, such as `12.5%`.
    var attribute: String {
      var text = ValueText.decimal(millionths, decimals: 4)
      while text.last == "0" { text.removeLast() }
      if text.last == "." { text.removeLast() }
      return text + "%"
    }
  }

  private static func scaled(
    _ value: Int64, of total: Int64, to scale: UInt64, roundingHalfUp: Bool
  ) -> UInt64 {
    guard total > 0 else { return 0 }
    let (divisor, value) = (UInt64(total), UInt64(min(max(value, 0), total)))
    // At most total × scale, so the quotient is at most `scale`.
    let (quotient, rest) = divisor.dividingFullWidth(value.multipliedFullWidth(by: scale))
    return roundingHalfUp && rest >= divisor - rest ? quotient + 1 : quotient
  }

  private static func decimal(_ value: UInt64, decimals: Int) -> String {
    var digits = String(value)
    while digits.count <= decimals { digits = "0" + digits }
    return "\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
  }
}
