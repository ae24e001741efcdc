internal import WickProfile

extension Annotation {
  /// Writes the sources as one page that needs nothing else and runs no script.
  ///
  /// Each line has an anchor, as in `#s1-L12` for line 12 of the first source.
  public func writeHTML(to output: inout some TextOutputStream) {
    let title = SVGText.escaped(title)
    output.write(
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" \
      content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title): annotated source</title>
      <style>
      \(PageAsset.annotationStyle)</style>
      </head>
      <body>
      <nav><strong>\(title)</strong>\(links)</nav>
      <main>

      """)
    writeHottestLines(to: &output)
    HeapChart(account.origin)?.write(to: &output)
    for (index, source) in sources.enumerated() {
      SourceSection(source, number: index + 1, of: self).write(to: &output)
    }
    if let skippedText {
      output.write("<p class=\"facts\">Left out \(SVGText.escaped(skippedText)).</p>\n")
    }
    output.write(
      """
      <footer>\(SVGText.escaped(account.line))</footer>
      </main>
      </body>
      </html>

      """)
  }

  /// Links to the sources, for the bar at the top.
  private var links: String {
    sources.enumerated().map { index, source in
      "<a href=\"#s\(index + 1)\">\(SVGText.escaped(names[source.values.file]))"
        + "<span class=\"share\">\(Decimal.percent(source.own.selfValue, of: total)) %</span></a>"
    }.joined()
  }

  /// The lines that cost most with their calls into code without a source, each linked to its place
  /// below.
  private func writeHottestLines(to output: inout some TextOutputStream) {
    let lines = sources.enumerated().flatMap { index, source in
      source.own.lines.filter { $0.number > 0 && $0.selfValue > 0 }.map { (index, $0) }
    }.sorted { first, second in
      first.1.selfValue != second.1.selfValue
        ? first.1.selfValue > second.1.selfValue
        : (first.0, first.1.number) < (second.0, second.1.number)
    }
    guard !lines.isEmpty else { return }
    output.write(
      """
      <h2>Hottest lines</h2>
      <p class="facts">\(SVGText.escaped(valueType.name)) in each line and in what it calls that has \
      no source</p>
      <table class="list">

      """)
    let scale = ValueScale(unit: valueType.unit, largest: total)
    for (index, line) in lines.prefix(10) {
      let source = sources[index]
      let name = SVGText.escaped(names[source.values.file])
      let text = source.text?.line(line.number)?.drop { $0 == " " } ?? ""
      output.write(
        """
        <tr class="h\(heat(line.selfValue))"><td>\(scale.text(line.selfValue))</td>\
        <td>\(Decimal.percent(line.selfValue, of: total)) %</td>\
        <td><a href="#s\(index + 1)-L\(line.number)">\(name):\(line.number)</a></td>\
        <td>\(SVGText.escaped(text.prefix(120)))</td></tr>

        """)
    }
    output.write("</table>\n")
  }

  /// How hot a value is, from 0 to 9; by the root, so that smaller shares can be told apart, too.
  func heat(_ value: Int64) -> Int {
    let permille = permille(value)
    guard value > 0 else { return 0 }
    return (1...9).first { 1000 * $0 * $0 >= permille * 81 } ?? 9
  }
}
