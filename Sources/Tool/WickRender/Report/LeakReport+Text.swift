internal import WickProfile

extension LeakReport {
  /// More frames than this are only counted.
  private static let frameLimit = 16
  /// More types than this are only counted.
  private static let typeLimit = 3

  /// Writes the report as text without color: a line for each stack, below it its frames from the
  /// innermost on.
  public func writeText(to output: inout some TextOutputStream) {
    account.writeFacts(to: &output)
    let scale = ValueScale(unit: "bytes", largest: table.total.bytes)
    let shown = rows.reduce(Int64(0)) { $0.addingSaturating($1.bytes) }
    output.write(
      """

      Live at the end, by stack: the top \(rows.count) of \(table.rows.count), \
      \(Decimal.percent(shown, of: table.total.bytes)) % of \(scale.text(table.total.bytes)) in \
      \(Self.count(table.total.objects))
      \(youngText)

      """)
    for row in rows {
      let error = isSampled ? row.error.text : ""
      var parts = [
        "\(scale.text(row.bytes))\(error.isEmpty ? "" : " ± \(error)")",
        "\(Decimal.percent(row.bytes, of: table.total.bytes)) %", Self.count(row.objects),
      ]
      if let age = row.meanAge { parts.append("mean age \(ValueScale.time(age))") }
      output.write("\n\(parts.joined(separator: ", "))\(types(of: row))\n")
      var cells = TextTable([.left, .left, .left])
      let frames = frames(of: row)
      for frame in frames.prefix(Self.frameLimit) { cells.add(self.cells(frame)) }
      var text = ""
      cells.write(to: &text)
      for line in text.split(separator: "\n") { output.write("  \(line)\n") }
      if frames.count > Self.frameLimit {
        output.write("  and \(frames.count - Self.frameLimit) more\n")
      }
    }
    output.write("\n\(account.line)\n")
  }

  /// What is not shown as it is too young.
  private var youngText: String {
    guard table.hasAges else {
      return "Ages are not known: what was live was not listed, as of a process that was killed."
    }
    let size = ValueScale(unit: "bytes", largest: table.young.bytes).text(table.young.bytes)
    let left = "Left out: \(Self.count(table.young.objects)), \(size), live for less than "
    let age = ValueScale.time(table.leastAge)
    switch threshold {
    case .youngestTenth: return "\(left)\(age), a tenth of the recorded time; see --age"
    case .age: return "\(left)\(age)"
    }
  }

  private func types(of row: LeakTable.Row) -> String {
    guard row.types != [nil] else { return "" }
    let names = row.types.prefix(Self.typeLimit).map { TextTable.harmless($0 ?? "[untyped]") }
    let rest = row.types.count - names.count
    return ": " + names.joined(separator: ", ") + (rest > 0 ? " and \(rest) more types" : "")
  }

  private func cells(_ frame: Frame) -> [String] {
    let module = frame.module.map { "(\(TextTable.harmless(table.profile.modules[$0].name)))" }
    let line = SourceLine(frame)
    return [
      TextTable.harmless(table.profile.name(of: frame)),
      line.file == nil ? "" : TextTable.harmless(names.text(line)), module ?? "",
    ]
  }

  private static func count(_ objects: Int64) -> String {
    "\(ValueText.grouped(objects)) \(objects == 1 ? "object" : "objects")"
  }
}
