internal import WickProfile

extension ComparisonReport {
  /// Writes the functions that changed beyond the noise as aligned text without color.
  public func writeText(to output: inout some TextOutputStream) {
    let scale = ValueScale(unit: unit, largest: max(totals.before, totals.after))
    let name = TextTable.harmless(comparison.profile.valueTypes[0].name)
    let changed = rows.filter { change($0) != "within noise" }
    let shown = changed.prefix(limit)
    output.write("before  \(scale.text(totals.before)) \(name)")
    if comparison.scale != 1 {
      output.write(
        " (\(scale.text(comparison.unscaledTotalBefore)) times \(Self.factor(comparison.scale)))")
    }
    output.write(
      """

      after   \(scale.text(totals.after)) \(name)

      \(changed.count) of \(rows.count) functions changed by more than chance explains \
      (3 standard deviations, \(scale.text(noiseOfAll)) of all)


      """)
    if !shown.isEmpty { write(shown, of: changed.count, scale, to: &output) }
    for (label, account) in accounts { output.write("\n\(label): \(account.line)") }
    if !accounts.isEmpty { output.write("\n") }
  }

  private func write(
    _ shown: ArraySlice<Comparison.Row>, of count: Int, _ scale: ValueScale,
    to output: inout some TextOutputStream
  ) {
    var cells = TextTable([.right, .right, .right, .right, .right, .right, .left, .left, .left])
    cells.add([
      "self Δ", "before", "after", "total Δ", "before", "after", "", "function", "module",
    ])
    for row in shown {
      cells.add([
        Self.signed(row.selfDifference, scale), scale.text(row.selfValues.before),
        scale.text(row.selfValues.after), Self.signed(row.totalDifference, scale),
        scale.text(row.totalValues.before), scale.text(row.totalValues.after), change(row),
        TextTable.harmless(row.function.name), TextTable.harmless(row.function.module),
      ])
    }
    cells.write(to: &output)
    if shown.count < count { output.write("\n\(count - shown.count) more; see -n\n") }
  }

  private var noiseOfAll: Int64 {
    let noise = comparison.noise(before: totals.before, after: totals.after).rounded()
    return noise < 9e18 ? Int64(noise) : .max
  }

  private static func signed(_ value: Int64, _ scale: ValueScale) -> String {
    (value > 0 ? "+" : "") + scale.text(value)
  }

  /// A factor with four digits behind the point.
  static func factor(_ value: Double) -> String {
    guard value < 1e12 else { return "\(value)" }
    return Decimal.text(Int64((value * 10_000).rounded()), dividedBy: 10_000, digits: 4)
  }
}
