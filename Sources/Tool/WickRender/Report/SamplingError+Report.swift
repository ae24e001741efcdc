internal import WickProfile

/// The value cells of a table's rows: self and total with their shares, and what sampling leaves open.
struct ValueCells {
  private let scale: ValueScale
  private let total: Int64
  private let hasErrors: Bool

  init(_ scale: ValueScale, total: Int64, hasErrors: Bool) {
    (self.scale, self.total, self.hasErrors) = (scale, total, hasErrors)
  }

  /// What the cells are called.
  var titles: [String] {
    hasErrors
      ? ["self", "±", "self %", "total", "±", "total %"] : ["self", "self %", "total", "total %"]
  }

  /// How they line up.
  var alignments: [TextTable.Alignment] { titles.map { _ in .right } }

  /// The cells of a row.
  func cells(
    _ own: Int64, _ all: Int64, _ errors: (own: SamplingError?, all: SamplingError?)
  ) -> [String] {
    cells(own, errors.own) + cells(all, errors.all)
  }

  private func cells(_ value: Int64, _ error: SamplingError?) -> [String] {
    let percent = Decimal.percent(value, of: total)
    return hasErrors
      ? [scale.text(value), value == 0 ? "" : error?.text ?? "", percent]
      : [scale.text(value), percent]
  }
}

extension SamplingError {
  /// Half of the 95 % interval: "12 %", with a digit more below 10; empty where there is none.
  var text: String {
    guard let permille else { return "" }
    return permille < 100
      ? "\(Decimal.text(permille, dividedBy: 10, digits: 1)) %"
      : "\(Decimal.text(permille, dividedBy: 10, digits: 0)) %"
  }
}

extension JSONWriter {
  /// Writes self and total with their shares into an open object, and the bounds of their 95 %
  /// intervals if there are `errors`, null where a value is exact.
  mutating func values(
    _ own: Int64, _ all: Int64, of total: Int64,
    _ errors: (own: SamplingError?, all: SamplingError?)?
  ) {
    integer("self", own)
    number("selfPercent", Decimal.percent(own, of: total))
    if let errors { interval("selfInterval", errors.own?.interval(of: own)) }
    integer("total", all)
    number("totalPercent", Decimal.percent(all, of: total))
    if let errors { interval("totalInterval", errors.all?.interval(of: all)) }
  }

  /// Writes the bounds of an interval, or null.
  mutating func interval(_ key: String, _ bounds: ClosedRange<Int64>?) {
    guard let bounds else {
      integer(key, Int64?.none)
      return
    }
    array(key) { json in
      json.integer(nil, bounds.lowerBound)
      json.integer(nil, bounds.upperBound)
    }
  }
}
