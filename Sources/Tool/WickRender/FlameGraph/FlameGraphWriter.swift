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
    let present = Set(layout.boxes.dropFirst().map { CodeOwner(function(of: $0)) })
    for owner in CodeOwner.allCases where present.contains(owner) && legendIsShown {
      let color = FrameColor(middleOf: owner).hex
      result += """
        <rect x="\(x)" y="\(baseline - 9)" width="10" height="10" rx="2" fill="\(color)"/>\
        <text x="\(x + 16)" y="\(baseline)">\(owner.label)</text>

        """
      x += 34 + owner.label.count * 13 / 2
    }
    for note in notes {
      baseline += Self.noteHeight
      result += "<text class=\"note\" x=\"\(FlameGraph.margin)\" y=\"\(baseline)\">\(note)</text>\n"
    }
    return result + "</g>\n"
  }

  private var legendIsShown: Bool { graph.options.palette.tellsOwner }

  /// Lines below the legend, escaped.
  private var notes: [String] {
    var notes: [String] = []
    if layout.leftOutCount > 0 {
      let count = ValueText.grouped(layout.leftOutCount)
      notes.append(
        "\(count) call paths are too narrow to be drawn here; a browser with scripts shows them.")
    }
    if !graph.options.notes.isEmpty { notes.append(SVGText.escaped(graph.options.notes)) }
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
    output.write(
      """
      <svg class="frames" x="\(FlameGraph.margin)" y="\(Self.headerHeight)" \
      width="\(graph.options.width - 2 * FlameGraph.margin)" height="\(boxesHeight)">

      """)
    for box in layout.boxes { output.write(element(box)) }
    output.write("</svg>\n")
  }

  private func element(_ box: FlameGraphLayout.Box) -> String {
    let function = function(of: box)
    let bottom = boxesHeight - box.depth * rowHeight
    let start = ValueText.position(box.start, of: layout.total)
    let end = ValueText.position(box.start + box.width, of: layout.total)
    let width = ValueText.Position(millionths: end.millionths - start.millionths)
    let color =
      box.node == 0
      ? .root : graph.options.palette.color(of: function.name, owner: CodeOwner(function))
    let (total, own) = (graph.paths.totalValues[0][box.node], graph.paths.selfValues[0][box.node])
    var hover = SVGText.escaped(function.name)
    if !function.module.isEmpty { hover += "\n" + SVGText.escaped(function.module) }
    let share = ValueText.percent(total, of: layout.total)
    hover += "\n\(SVGText.escaped(values.text(total))), \(share)"
    let pixels =
      Double(box.width) / Double(layout.total) * Double(graph.options.width - 2 * FlameGraph.margin)
    let thin = pixels < Self.thinWidth ? " class=\"thin\"" : ""
    var result = """
      <g data-x="\(box.start)" data-w="\(box.width)" data-s="\(max(own, 0))" \
      data-d="\(box.depth)"><title>\(hover)</title>\
      <rect\(thin) x="\(start.attribute)" y="\(bottom - rowHeight)" \
      width="\(width.attribute)" height="\(max(rowHeight - 1, 1))" rx="1" fill="\(color.hex)"/>
      """
    let room = max(pixels - 2 * Double(Self.labelMargin), 0)
    let label = SVGText.fitted(function.name, columns: Int(room / Self.columnWidth))
    if !label.isEmpty {
      result += """
        <text x="\(start.attribute)" dx="\(Self.labelMargin)" y="\(bottom - 4)">\
        \(SVGText.escaped(label))</text>
        """
    }
    return result + "</g>\n"
  }

  private func function(of box: FlameGraphLayout.Box) -> CallTree.Function {
    let index = graph.paths.function(of: box.node)
    return index < 0 ? CallTree.Function(name: "all", module: "") : graph.paths.functions[index]
  }
}
