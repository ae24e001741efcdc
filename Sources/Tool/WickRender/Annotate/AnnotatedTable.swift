/// Values beside source lines or instructions, aligned, for a terminal.
struct AnnotatedTable {
  private struct Row {
    var cells: [String]
    var label: String
    var text: String
    var style: Style
    var isMarked: Bool
  }

  private enum Style: String {
    case plain = ""
    case dim = "\u{1b}[2m"
    case warm = "\u{1b}[33m"
    case hot = "\u{1b}[1;31m"
  }

  /// Lines from this share of the total on are marked, in thousandths.
  private static let markedPermille = 100
  private static let warmPermille = 10

  private let isColored: Bool
  private let hottest: UInt32?
  /// nil where lines are left out.
  private var rows: [Row?] = []

  /// Creates a table whose line `hottest` is marked in any case.
  init(isColored: Bool, hottest: UInt32?) {
    self.isColored = isColored
    self.hottest = hottest
  }

  /// Adds a source line.
  ///
  /// - Parameters:
  ///   - cells: Self and total, each with its percentage.
  ///   - number: The line; nil for none.
  ///   - text: Its source.
  ///   - permille: Its share.
  mutating func add(_ cells: [String], number: UInt32?, text: String, permille: Int) {
    let isHottest = number != nil && number == hottest
    let hasCost = cells.contains { !$0.isEmpty }
    add(
      cells, label: number.map { String($0) } ?? "?", text: text, permille: permille,
      isDim: !hasCost, isMarked: isHottest && hasCost)
  }

  /// Adds anything else that has a label.
  mutating func add(
    _ cells: [String], label: String, text: String, permille: Int, isDim: Bool,
    isMarked: Bool = false
  ) {
    let isHot = permille >= Self.markedPermille
    let style: Style =
      isHot || isMarked ? .hot : permille >= Self.warmPermille ? .warm : isDim ? .dim : .plain
    rows.append(
      Row(
        cells: cells, label: label, text: TextTable.harmless(text), style: style,
        isMarked: isHot || isMarked))
  }

  /// Adds a mark for what is left out.
  mutating func addGap() {
    rows.append(nil)
  }

  /// Writes the heading and all rows.
  func write(to output: inout some TextOutputStream) {
    let headings = ["self", "self %", "total", "total %"]
    var widths = headings.map(\.count)
    var labelWidth = 4
    for case let row? in rows {
      for (column, cell) in row.cells.enumerated() {
        widths[column] = max(widths[column], cell.count)
      }
      labelWidth = max(labelWidth, row.label.count)
    }
    func line(_ mark: String, _ cells: [String], _ label: String, _ text: String) -> String {
      var line = mark
      for (column, cell) in cells.enumerated() {
        line += " " + Self.padded(cell, widths[column]) + (column == 1 ? " " : "")
      }
      line += "  " + Self.padded(label, labelWidth) + "  " + text
      while line.last == " " { line.removeLast() }
      return line
    }
    output.write(line(" ", headings, "line", "") + "\n")
    for row in rows {
      guard let row else {
        output.write(line(" ", ["", "", "", ""], "…", "") + "\n")
        continue
      }
      let text = line(row.isMarked ? ">" : " ", row.cells, row.label, row.text)
      let isStyled = isColored && row.style != .plain
      output.write(isStyled ? "\(row.style.rawValue)\(text)\u{1b}[0m\n" : "\(text)\n")
    }
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
