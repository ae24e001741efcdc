public import WickProfile

extension Profile {
  /// What part of the whole this profile is: "showing 12.34 % of 1234 samples: --focus parse".
  ///
  /// - Parameter column: What is counted.
  /// - Returns: A sentence without its end; nil where the profile is the whole.
  public func excerptText(column: Int = 0) -> String? {
    guard let excerpt = origin.excerpt else { return nil }
    let (whole, type) = (excerpt.totals[column], valueTypes[column])
    let percent = Decimal.percent(total(of: column), of: whole)
    let value = ValueScale(unit: type.unit, largest: whole).text(whole)
    let options = excerpt.options.joined(separator: " ")
    return TextTable.harmless("showing \(percent) % of \(value) \(type.name): \(options)")
  }
}

extension Origin.Excerpt {
  /// The patterns as options of the command line.
  fileprivate var options: [String] {
    let groups = [("--focus", focus), ("--ignore", ignore), ("--hide", hide)]
    return groups.flatMap { option, patterns in
      patterns.map { "\(option) \($0.contains(" ") ? "'\($0)'" : $0)" }
    }
  }
}
