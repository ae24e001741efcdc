import WickProfile

/// Writes a laid-out flame graph as SVG.
///
/// Boxes are placed in percent of a fixed view box: without script the picture scales as an image
/// does; the script takes the view box away and the boxes fill the window. What the script needs
/// beyond the picture stands in `data-` attributes, in exact units.
struct FlameGraphWriter {
  private static let headerHeight = 84
  private static let rowHeight = 16
  private static let footerHeight = 40
  private static let noteHeight = 20
  /// Label text is 12 pixels high; no common monospace font is wider than 0.61 of that a column.
  private static let columnWidth = 7.32
  private static let labelMargin = 3
  /// Below this width in pixels the gap between boxes would leave nothing of them.
  private static let thinWidth = 2.5

  private let graph: FlameGraph
  private let values: ValueText

  init(_ graph: FlameGraph) {
    self.graph = graph
    values = ValueText(graph.tree.valueType)
  }

  private var layout: FlameGraphLayout { graph.layout }
  private var boxesHeight: Int { max(layout.rowCount, 3) * Self.rowHeight }

  func write(to output: inout some TextOutputStream) {
    output.write(opening)
    output.write("<style><![CDATA[\n\(PageAsset.style)]]></style>\n")
    output.write("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n")
    if layout.boxes.isEmpty {
      output.write(emptyNote)
    } else {
      writeBoxes(to: &output)
    }
    output.write(footer)
    output.write(header)
    output.write("<script><![CDATA[\n\(PageAsset.script)]]></script>\n</svg>\n")
  }

  // MARK: Around the boxes

  private var opening: String {
    let noteHeight = leftOutNote.isEmpty ? 0 : Self.noteHeight
    let height = Self.headerHeight + boxesHeight + Self.footerHeight + noteHeight
    let width = FlameGraphLayout.pictureWidth
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" class="wick" width="100%" height="\(height)" \
      viewBox="0 0 \(width) \(height)" preserveAspectRatio="xMidYMin meet" \
      data-total="\(layout.total)" data-unit="\(SVGText.escaped(values.unit))" \
      data-left-out="\(layout.narrowCount + layout.surplusCount)">
      <title>\(SVGText.escaped(graph.options.title))</title>

      """
  }

  private var header: String {
    let margin = FlameGraphLayout.margin
    return """
      <g class="header">
      <rect class="paper" width="100%" height="\(Self.headerHeight - 4)"/>
      <text class="headline" x="\(margin)" y="28">\(SVGText.escaped(graph.options.title))</text>
      <text class="subtitle" x="\(margin)" y="47">\(SVGText.escaped(graph.options.subtitle))</text>
      <text class="detail" x="\(margin)" y="70" role="status"/>
      </g>

      """
  }

  private var emptyNote: String {
    let middle = Self.headerHeight + boxesHeight / 2
    return "<text class=\"empty\" x=\"50%\" y=\"\(middle)\">There are no samples to show.</text>\n"
  }

  private var footer: String {
    guard !layout.boxes.isEmpty else { return "" }
    let baseline = Self.headerHeight + boxesHeight + 26
    var result = "<g class=\"footer\">\n"
    var x = FlameGraphLayout.margin
    let present = Set(layout.boxes.dropFirst().map { owner(of: $0) })
    for owner in CodeOwner.allCases where present.contains(owner) {
      let color = FrameColor(middleOf: owner).hex
      result += """
        <rect x="\(x)" y="\(baseline - 9)" width="10" height="10" rx="2" fill="\(color)"/>\
        <text x="\(x + 16)" y="\(baseline)">\(owner.label)</text>

        """
      x += 34 + owner.label.count * 13 / 2
    }
    if !leftOutNote.isEmpty {
      let (x, y) = (FlameGraphLayout.margin, baseline + Self.noteHeight)
      result += "<text class=\"note\" x=\"\(x)\" y=\"\(y)\">\(leftOutNote)</text>\n"
    }
    return result + "</g>\n"
  }

  private var leftOutNote: String {
    var parts: [String] = []
    if layout.narrowCount > 0 {
      let count = ValueText.grouped(layout.narrowCount)
      parts.append("\(count) narrower than \(max(graph.options.minimumWidth, 0)) px")
    }
    if layout.surplusCount > 0 {
      let count = ValueText.grouped(layout.surplusCount)
      parts.append("\(count) beyond the widest \(ValueText.grouped(layout.boxes.count))")
    }
    guard !parts.isEmpty else { return "" }
    return "Call paths not drawn, only counted in their callers: \(parts.joined(separator: ", "))"
  }

  // MARK: Boxes

  private func writeBoxes(to output: inout some TextOutputStream) {
    output.write(
      """
      <svg class="frames" x="\(FlameGraphLayout.margin)" y="\(Self.headerHeight)" \
      width="\(FlameGraphLayout.boxesWidth)" height="\(boxesHeight)">

      """)
    for box in layout.boxes { output.write(element(box)) }
    output.write("</svg>\n")
  }

  private func element(_ box: FlameGraphLayout.Box) -> String {
    let node = graph.tree.nodes[box.node]
    let function = function(of: box)
    let bottom = boxesHeight - node.depth * Self.rowHeight
    let start = ValueText.position(box.start, of: layout.total)
    let end = ValueText.position(box.start + box.width, of: layout.total)
    let width = ValueText.Position(millionths: end.millionths - start.millionths)
    let color =
      box.node == 0 ? .root : FrameColor(name: function.name, owner: owner(of: box))
    var hover = SVGText.escaped(function.name)
    if !function.module.isEmpty { hover += "\n" + SVGText.escaped(function.module) }
    let share = ValueText.percent(node.totalValue, of: layout.total)
    hover += "\n\(SVGText.escaped(values.text(node.totalValue))), \(share)"
    let pixels =
      Double(box.width) / Double(layout.total) * Double(FlameGraphLayout.boxesWidth)
    let thin = pixels < Self.thinWidth ? " class=\"thin\"" : ""
    var result = """
      <g data-x="\(box.start)" data-w="\(box.width)" data-s="\(max(node.selfValue, 0))" \
      data-d="\(node.depth)"><title>\(hover)</title>\
      <rect\(thin) x="\(start.attribute)" y="\(bottom - Self.rowHeight)" \
      width="\(width.attribute)" height="\(Self.rowHeight - 1)" rx="1" fill="\(color.hex)"/>
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
    let index = graph.tree.nodes[box.node].function
    return index < 0 ? CallTree.Function(name: "all", module: "") : graph.tree.functions[index]
  }

  private func owner(of box: FlameGraphLayout.Box) -> CodeOwner { CodeOwner(function(of: box)) }
}
