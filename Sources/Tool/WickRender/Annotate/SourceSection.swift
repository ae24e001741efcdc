internal import WickProfile

/// One source on the page of an annotation.
struct SourceSection {
  private let source: AnnotatedSource
  private let number: Int
  private let page: Annotation
  private let scale: ValueScale

  /// Prepares a source.
  ///
  /// - Parameters:
  ///   - source: The source.
  ///   - number: From 1, for anchors.
  ///   - page: What it is a part of.
  init(_ source: AnnotatedSource, number: Int, of page: Annotation) {
    self.source = source
    self.number = number
    self.page = page
    scale = ValueScale(unit: page.valueType.unit, largest: page.total)
  }

  /// Writes the section.
  func write(to output: inout some TextOutputStream) {
    output.write(
      "<section id=\"s\(number)\">\n<h2>\(heading)</h2>\n<p class=\"facts\">\(facts)</p>\n")
    for problem in source.problems {
      output.write("<p class=\"warning\">\(capitalized(page.text(problem))).</p>\n")
    }
    writeHead(named: "\(page.names[source.values.file])", label: "line", to: &output)
    if let line = source.withoutLine {
      writeRow(
        id: nil, classes: [], line.selfValue, line.totalValue, label: "?",
        text: "(code of no line)", to: &output)
    }
    for row in source.rows {
      if row.followsGap { writeGap(to: &output) }
      let anchor = "s\(number)-L\(row.number)"
      writeRow(
        id: anchor, classes: row.number == source.line?.number ? ["hottest"] : [], row.selfValue,
        row.totalValue, label: "<a href=\"#\(anchor)\">\(row.number)</a>",
        text: source.text?.line(row.number) ?? "", to: &output)
    }
    output.write("</tbody>\n</table>\n")
    writeOrigins(to: &output)
    for listing in source.code { write(listing, to: &output) }
    output.write("</section>\n")
  }

  private var heading: String {
    let file = source.values.file
    let name = file.split(separator: "/").last ?? ""
    let folder = file.hasSuffix(name) ? file.dropLast(name.count) : ""
    return "<span class=\"folder\">\(SVGText.escaped(folder))</span>\(SVGText.escaped(name))"
  }

  private var facts: String {
    let values = source.values
    var parts: [String] = []
    if let function = values.function {
      parts.append("function <b>\(SVGText.escaped(function.name))</b>")
    }
    var sums = [("self", values.selfValue), ("total", values.totalValue)]
    if source.own.selfValue != values.selfValue {
      sums.insert(("with calls into code without a source", source.own.selfValue), at: 1)
    }
    for (label, value) in sums {
      parts.append(
        "\(label) <b>\(Decimal.percent(value, of: page.total)) %</b>, \(scale.text(value)) of "
          + "\(scale.text(page.total)) \(SVGText.escaped(page.valueType.name))")
    }
    if let path = source.path, path != values.file {
      parts.append("read from \(SVGText.escaped(path))")
    }
    return parts.joined(separator: " · ")
  }

  private func capitalized(_ text: String) -> String {
    SVGText.escaped(text.prefix(1).uppercased() + text.dropFirst())
  }

  private func writeHead(
    named name: String, label: String, to output: inout some TextOutputStream
  ) {
    output.write(
      """
      <table class="code\(page.valueType.unit == "count" ? "" : " wide")">
      <colgroup><col class="value"><col class="percent"><col class="value"><col class="percent">\
      <col class="\(label)"><col></colgroup>
      <thead><tr><th class="name" colspan="6">\(SVGText.escaped(name))</th></tr>
      <tr><th>self</th><th>self %</th><th>total</th><th>total %</th><th>\(label)</th>\
      <th class="text">\(label == "line" ? "source" : "instruction")</th></tr></thead>
      <tbody>

      """)
  }

  private func writeGap(to output: inout some TextOutputStream) {
    output.write(
      "<tr class=\"gap\"><td colspan=\"4\"></td><td class=\"line\">⋯</td><td></td></tr>\n")
  }

  private func writeRow(
    id: String?, classes: [String], _ own: Int64, _ all: Int64, label: String, text: String,
    to output: inout some TextOutputStream
  ) {
    let heat = page.heat(own)
    let classes = (classes + (heat > 0 ? ["h\(heat)"] : [])).joined(separator: " ")
    // A tenth and more of the total is worth a look even where the line itself costs nothing.
    let total = page.permille(all) >= 100 ? "total large" : "total"
    func cell(_ name: String, _ value: Int64) -> String {
      guard value != 0 else { return "<td></td><td></td>" }
      return "<td class=\"\(name)\">\(scale.text(value))</td>"
        + "<td class=\"\(name)\">\(Decimal.percent(value, of: page.total))</td>"
    }
    output.write(
      "<tr\(id.map { " id=\"\($0)\"" } ?? "")\(classes.isEmpty ? "" : " class=\"\(classes)\"")>"
        + "\(cell("own", own))\(cell(total, all))<td class=\"line\">\(label)</td>"
        + "<td class=\"text\">\(SVGText.escaped(text))</td></tr>\n")
  }

  private func writeOrigins(to output: inout some TextOutputStream) {
    guard let line = source.line, let origins = source.origins else { return }
    func write(_ heading: String, _ entries: [(Int64, String)]) {
      output.write("<h3>\(heading)</h3>\n<table class=\"list\">\n")
      for (value, text) in entries.prefix(Annotation.originLimit) {
        output.write(
          "<tr><td>\(scale.text(value))</td>"
            + "<td>\(Decimal.percent(value, of: line.totalValue)) %</td>"
            + "<td>\(SVGText.escaped(text))</td></tr>\n")
      }
      output.write("</table>\n")
      if entries.count > Annotation.originLimit {
        output.write("<p class=\"facts\">and \(entries.count - Annotation.originLimit) more</p>\n")
      }
    }
    if origins.chains.contains(where: { !$0.places.isEmpty }) {
      write(
        "Line \(line.number) is inlined", origins.chains.map { ($0.value, page.text($0)) })
    }
    if source.showsCallers, !origins.callers.isEmpty {
      write(
        "Line \(line.number) is called from",
        origins.callers.map { ($0.value, page.text($0)) })
    }
  }

  private func write(_ listing: CodeListing, to output: inout some TextOutputStream) {
    let line = source.line.map { " of line \($0.number)" } ?? ""
    output.write("<h3>Instructions\(line) in \(SVGText.escaped(listing.module))</h3>\n")
    if let problem = listing.problem {
      output.write("<p class=\"facts\">\(SVGText.escaped(problem))</p>\n")
    }
    guard !listing.instructions.isEmpty else { return }
    writeHead(named: listing.module, label: "address", to: &output)
    var end: UInt64?
    for instruction in listing.instructions {
      if let end, end != instruction.address { writeGap(to: &output) }
      end = instruction.address &+ UInt64(instruction.byteCount)
      writeRow(
        id: nil, classes: instruction.isOfLine ? [] : ["between"], instruction.selfValue,
        instruction.totalValue, label: String(instruction.address, radix: 16),
        text: instruction.text, to: &output)
    }
    output.write("</tbody>\n</table>\n")
  }
}
