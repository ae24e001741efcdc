internal import WickProfile

extension Annotation {
  /// Writes the sources for a terminal.
  ///
  /// Whatever the sources and names hold, no control character but newlines is written, and those of
  /// the colors.
  ///
  /// - Parameters:
  ///   - isColored: Whether hot lines get colors by escape sequences.
  ///   - output: Receives the text.
  public func writeText(isColored: Bool = false, to output: inout some TextOutputStream) {
    for source in sources {
      write(source, isColored, to: &output)
      output.write("\n")
    }
    if let skippedText {
      ProfileAccount.write("Left out", skippedText, to: &output)
      output.write("\n")
    }
    output.write("\(account.line)\n")
  }

  private func write(
    _ source: AnnotatedSource, _ isColored: Bool, to output: inout some TextOutputStream
  ) {
    let scale = ValueScale(unit: valueType.unit, largest: total)
    writeFacts(source, scale, to: &output)
    var table = AnnotatedTable(isColored: isColored, hottest: source.line?.number)
    func cells(_ own: Int64, _ all: Int64) -> [String] {
      guard own != 0 || all != 0 else { return ["", "", "", ""] }
      return [
        own == 0 ? "" : scale.text(own), own == 0 ? "" : Decimal.percent(own, of: total),
        scale.text(all), Decimal.percent(all, of: total),
      ]
    }
    if let line = source.withoutLine {
      table.add(
        cells(line.selfValue, line.totalValue), number: nil, text: "(code of no line)",
        permille: permille(line.selfValue))
    }
    for row in source.rows {
      if row.followsGap { table.addGap() }
      table.add(
        cells(row.selfValue, row.totalValue), number: row.number,
        text: source.text?.line(row.number) ?? "", permille: permille(row.selfValue))
    }
    table.write(to: &output)
    writeOrigins(source, scale, to: &output)
    for listing in source.code { write(listing, of: source, scale, isColored, to: &output) }
  }

  private func writeFacts(
    _ source: AnnotatedSource, _ scale: ValueScale, to output: inout some TextOutputStream
  ) {
    let values = source.values
    let unit = valueType.name
    ProfileAccount.write("Source", values.file, to: &output)
    if let path = source.path, path != values.file {
      ProfileAccount.write("Read from", path, to: &output)
    }
    if let function = values.function {
      let module = function.module.isEmpty ? "" : " in \(function.module)"
      ProfileAccount.write("Function", "\(function.name)\(module)", to: &output)
    }
    var sums = [("Self", values.selfValue), ("Total", values.totalValue)]
    // With calls into code without a source; where all have one, that is the same.
    if source.own.selfValue != values.selfValue {
      sums.insert(("Own", source.own.selfValue), at: 1)
    }
    for (label, value) in sums {
      ProfileAccount.write(
        label,
        "\(scale.text(value)) of \(scale.text(total)) \(unit), "
          + "\(Decimal.percent(value, of: total)) %",
        to: &output)
    }
    for problem in source.problems {
      ProfileAccount.write("Warning", text(problem), to: &output)
    }
    output.write("\n")
  }

  private func writeOrigins(
    _ source: AnnotatedSource, _ scale: ValueScale, to output: inout some TextOutputStream
  ) {
    guard let line = source.line, let origins = source.origins else { return }
    func write(_ heading: String, _ entries: [(Int64, String)]) {
      output.write("\n\(heading)\n")
      var table = TextTable([.right, .right, .left])
      for (value, text) in entries.prefix(Self.originLimit) {
        table.add([
          "  \(scale.text(value))", "\(Decimal.percent(value, of: line.totalValue)) %",
          TextTable.harmless(text),
        ])
      }
      table.write(to: &output)
      if entries.count > Self.originLimit {
        output.write("  and \(entries.count - Self.originLimit) more\n")
      }
    }
    if line.totalValue == 0 {
      output.write("\nLine \(line.number) has no \(valueType.name).\n")
    }
    if origins.chains.contains(where: { !$0.places.isEmpty }) {
      write("Line \(line.number) is inlined:", origins.chains.map { ($0.value, text($0)) })
    }
    if source.showsCallers, !origins.callers.isEmpty {
      write("Line \(line.number) is called from:", origins.callers.map { ($0.value, text($0)) })
    }
  }

  /// More callers or inline chains than this are only counted.
  static var originLimit: Int { 20 }

  private func write(
    _ listing: CodeListing, of source: AnnotatedSource, _ scale: ValueScale, _ isColored: Bool,
    to output: inout some TextOutputStream
  ) {
    let line = source.line.map { " of line \($0.number)" } ?? ""
    output.write("\nInstructions\(line) in \(TextTable.harmless(listing.module)):\n")
    if let problem = listing.problem { output.write("  \(TextTable.harmless(problem))\n") }
    guard !listing.instructions.isEmpty else { return }
    var table = AnnotatedTable(isColored: isColored, hottest: nil)
    var end: UInt64?
    for instruction in listing.instructions {
      if let end, end != instruction.address { table.addGap() }
      end = instruction.address &+ UInt64(instruction.byteCount)
      let (own, all) = (instruction.selfValue, instruction.totalValue)
      table.add(
        [
          own == 0 ? "" : scale.text(own), own == 0 ? "" : Decimal.percent(own, of: total),
          all == 0 ? "" : scale.text(all), all == 0 ? "" : Decimal.percent(all, of: total),
        ],
        label: String(instruction.address, radix: 16), text: instruction.text,
        permille: permille(own), isDim: !instruction.isOfLine)
    }
    table.write(to: &output)
  }
}
