import WickProfile

/// Writes a laid-out flame graph as SVG.
///
/// Boxes are placed in percent of a fixed view box: without script the picture scales as an image
/// does; the script takes the view box and these boxes away and draws its own. Each box has its exact
/// start, width, self value and depth in `data-` attributes.
struct FlameGraphWriter {
  private static let headerHeight = 92
  private static let footerHeight = 40
  private static let noteHeight = 20
  /// Label text is 12 pixels high; no common monospace font is wider than 0.61 of that a column.
  private static let columnWidth = 7.32
  private static let labelMargin = 3
  /// Below this width in pixels the gap between boxes would leave nothing of them.
  private static let thinWidth = 2.5
  /// Bytes of an element of packed data; parsers may have limits for the text of one.
  private static let partBytes = 3 << 20
  /// Bytes of it that become text at a time; 3 divides both.
  private static let pieceBytes = 3 << 14

  private let graph: FlameGraph
  private let values: ValueText

  init(_ graph: FlameGraph) {
    self.graph = graph
    values = ValueText(graph.valueType, countName: graph.options.countName)
  }

  private var layout: FlameGraphLayout { graph.layout }
  private var rowHeight: Int { max(graph.options.rowHeight, 1) }
  private var boxesHeight: Int { max(layout.rowCount, 3) * rowHeight }

  func write(to output: inout some TextOutputStream) {
    let tree = layout.boxes.isEmpty ? [] : Deflate.compressed(graph.data.bytes) ?? []
    let nonce = Self.nonce(of: tree)
    output.write(opening)
    output.write(Self.policy(nonce))
    output.write("<style nonce=\"\(nonce)\"><![CDATA[\n\(PageAsset.style)]]></style>\n")
    output.write("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n")
    if layout.boxes.isEmpty {
      output.write(emptyNote)
    } else {
      writeBoxes(to: &output)
    }
    output.write(footer)
    output.write(header)
    if !tree.isEmpty { Self.write(tree, to: &output) }
    output.write("<script nonce=\"\(nonce)\"><![CDATA[\n\(PageAsset.script)]]></script>\n</svg>\n")
  }

  // MARK: Safety

  /// Forbids all requests, and all scripts and styles but ours; browsers look for the policy of a
  /// document in an element `head` of XHTML, wherever that stands.
  private static func policy(_ nonce: String) -> String {
    """
    <metadata><head xmlns="http://www.w3.org/1999/xhtml"><meta \
    http-equiv="Content-Security-Policy" content="default-src 'none'; \
    script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'"/></head></metadata>

    """
  }

  /// A word that no name in the tree can foresee, as it depends on all of them; and the same for the
  /// same tree.
  private static func nonce(of tree: [UInt8]) -> String {
    // FNV-1a with two offsets.
    var (one, other) = (UInt64(0xcbf2_9ce4_8422_2325), UInt64(0x6c62_272e_07bb_0142))
    for byte in tree {
      one = (one ^ UInt64(byte)) &* 0x100_0000_01b3
      other = (other &* 0x100_0000_01b3) ^ UInt64(byte)
    }
    return String(one, radix: 36) + String(other, radix: 36)
  }

  // MARK: Around the boxes

  private var opening: String {
    let height = Self.headerHeight + boxesHeight + Self.footerHeight + notes.count * Self.noteHeight
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" class="wick" width="100%" height="\(height)" \
      viewBox="0 0 \(graph.options.width) \(height)" preserveAspectRatio="xMidYMin meet" \
      data-total="\(layout.total)" data-unit="\(SVGText.escaped(values.unit))" \
      data-left-out="\(layout.leftOutCount)" data-row-height="\(rowHeight)">
      <title>\(SVGText.escaped(graph.options.title))</title>

      """
  }

  private var header: String {
    let margin = FlameGraph.margin
    return """
      <g class="header">
      <rect class="paper" width="100%" height="\(Self.headerHeight - 4)"/>
      <text class="headline" x="\(margin)" y="28">\(SVGText.escaped(graph.options.title))</text>
      <text class="subtitle" x="\(margin)" y="47">\(SVGText.escaped(graph.options.subtitle))</text>
      <text class="detail" x="\(margin)" y="67" role="status"/>
      <text class="figures" x="\(margin)" y="83" role="status"/>
      </g>

      """
  }

  private var emptyNote: String {
    let middle = Self.headerHeight + boxesHeight / 2
    return "<text class=\"empty\" x=\"50%\" y=\"\(middle)\">There are no samples to show.</text>\n"
  }

  private var footer: String {
    guard !layout.boxes.isEmpty else { return "" }
    var baseline = Self.headerHeight + boxesHeight + 26
    var result = "<g class=\"footer\">\n"
    var x = FlameGraph.margin
    for (label, color) in legend {
      result += """
        <rect x="\(x)" y="\(baseline - 9)" width="10" height="10" rx="2" fill="\(color.hex)"/>\
        <text x="\(x + 16)" y="\(baseline)">\(label)</text>

        """
      x += 34 + label.count * 13 / 2
    }
    for (kind, note) in notes {
      baseline += Self.noteHeight
      result += """
        <text class="\(kind)" x="\(FlameGraph.margin)" y="\(baseline)">\(note)</text>

        """
    }
    return result + "</g>\n"
  }

  private var legend: [(label: String, color: FrameColor)] {
    if graph.difference != nil { return Difference.legend }
    guard graph.options.palette.tellsOwner else { return [] }
    let present = Set(layout.boxes.dropFirst().map { CodeOwner(function(of: $0)) })
    return CodeOwner.allCases.filter(present.contains).map { ($0.label, FrameColor(middleOf: $0)) }
  }

  /// Lines below the legend with their classes, escaped; the script takes the last away, which is not
  /// true of what it draws.
  private var notes: [(kind: String, text: String)] {
    var notes: [(kind: String, text: String)] = []
    if let difference = graph.difference {
      notes.append(("note", SVGText.escaped(difference.note(values))))
    }
    if !graph.options.notes.isEmpty {
      notes.append(("note", SVGText.escaped(graph.options.notes)))
    }
    if layout.leftOutCount > 0 {
      let count = ValueText.grouped(layout.leftOutCount)
      notes.append(
        (
          "left-out",
          "\(count) call paths are too narrow or too many for this; a browser shows them all."
        ))
    }
    return notes
  }

  /// Writes the whole tree for the script.
  private static func write(_ tree: [UInt8], to output: inout some TextOutputStream) {
    output.write("<metadata class=\"tree\">\n")
    var start = 0
    while start < tree.count {
      let end = min(start + partBytes, tree.count)
      output.write("<desc>")
      while start < end {
        let next = min(start + pieceBytes, end)
        output.write(Base64.text(tree[start..<next]))
        start = next
      }
      output.write("</desc>\n")
    }
    output.write("</metadata>\n")
  }

  // MARK: Boxes

  private func writeBoxes(to output: inout some TextOutputStream) {
    let whole = graph.options.width - 2 * FlameGraph.margin
    let widths = graph.difference?.widths ?? (main: whole, gone: 0)
    write(layout, x: FlameGraph.margin, width: widths.main, isGone: false, to: &output)
    guard let gone = graph.difference?.gone, !gone.boxes.isEmpty else { return }
    let x = FlameGraph.margin + whole - widths.gone
    write(gone, x: x, width: widths.gone, isGone: true, to: &output)
  }

  private func write(
    _ layout: FlameGraphLayout, x: Int, width: Int, isGone: Bool,
    to output: inout some TextOutputStream
  ) {
    output.write(
      """
      <svg class="frames" x="\(x)" y="\(Self.headerHeight)" width="\(width)" \
      height="\(boxesHeight)">

      """)
    for box in layout.boxes {
      output.write(element(box, of: layout, pixels: width, isGone: isGone))
    }
    output.write("</svg>\n")
  }

  private func element(
    _ box: FlameGraphLayout.Box, of layout: FlameGraphLayout, pixels: Int, isGone: Bool
  ) -> String {
    let function = function(of: box)
    let name =
      isGone && box.node == 0 ? "gone" : SVGText.withoutAnnotation(function.name)
    let bottom = boxesHeight - box.depth * rowHeight
    let start = ValueText.position(box.start, of: layout.total)
    let end = ValueText.position(box.start + box.width, of: layout.total)
    let width = ValueText.Position(millionths: end.millionths - start.millionths)
    let own = isGone ? 0 : graph.paths.selfValues[0][box.node]
    var hover = SVGText.escaped(name)
    if !function.module.isEmpty, CodeOwner(function).isCode {
      hover += "\n" + SVGText.escaped(function.module)
    }
    hover += "\n" + SVGText.escaped(figures(of: box, isGone: isGone))
    let pixels = Double(box.width) / Double(layout.total) * Double(pixels)
    let thin = pixels < Self.thinWidth ? " class=\"thin\"" : ""
    var result = """
      <g data-x="\(box.start)" data-w="\(box.width)" data-s="\(max(own, 0))" \
      data-d="\(box.depth)"><title>\(hover)</title>\
      <rect\(thin) x="\(start.attribute)" y="\(bottom - rowHeight)" \
      width="\(width.attribute)" height="\(max(rowHeight - 1, 1))" rx="1" \
      fill="\(color(of: box, function, isGone: isGone).hex)"/>
      """
    let room = max(pixels - 2 * Double(Self.labelMargin), 0)
    let isNew = graph.difference?.isNew(box.node) ?? false
    let label = SVGText.fitted((isNew ? "+ " : "") + name, columns: Int(room / Self.columnWidth))
    if !label.isEmpty {
      result += """
        <text x="\(start.attribute)" dx="\(Self.labelMargin)" y="\(bottom - 4)">\
        \(SVGText.escaped(label))</text>
        """
    }
    return result + "</g>\n"
  }

  private func figures(of box: FlameGraphLayout.Box, isGone: Bool) -> String {
    let total = graph.paths.totalValues[0][box.node]
    if isGone { return "before \(values.text(box.width)), none after" }
    let share = ValueText.percent(total, of: layout.total)
    let text = "\(values.text(total)), \(share)"
    guard let difference = graph.difference else { return text }
    return "\(text)\n\(difference.text(of: box.node))"
  }

  private func color(
    of box: FlameGraphLayout.Box, _ function: CallTree.Function, isGone: Bool
  ) -> FrameColor {
    if isGone { return Difference.goneColor }
    if let difference = graph.difference { return difference.color(of: box.node) }
    if box.node == 0 { return .root }
    return graph.options.palette.color(of: function.name, owner: CodeOwner(function))
  }

  private func function(of box: FlameGraphLayout.Box) -> CallTree.Function {
    let index = graph.paths.function(of: box.node)
    return index < 0 ? CallTree.Function(name: "all", module: "") : graph.paths.functions[index]
  }
}
