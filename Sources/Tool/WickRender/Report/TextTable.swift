/// Cells aligned in columns.
struct TextTable {
  /// How a column lines up.
  enum Alignment {
    case left, right
  }

  /// Cells that are wider than this do not push what follows them further right.
  private static let widthLimit = 72

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ alignments: [Alignment]) {
    self.alignments = alignments
  }

  /// Adds a row with one cell per column.
  mutating func add(_ cells: [String]) {
    rows.append(cells)
  }

  /// Writes the rows, two spaces between columns, none at a line's end.
  func write(to output: inout some TextOutputStream) {
    var widths = alignments.map { _ in 0 }
    for row in rows {
      for (column, cell) in row.enumerated() where cell.count <= Self.widthLimit {
        widths[column] = max(widths[column], cell.count)
      }
    }
    for row in rows {
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
        if column > 0 { line += "  " }
        line += alignments[column] == .left ? cell + padding : padding + cell
      }
      while line.last == " " { line.removeLast() }
      output.write(line + "\n")
    }
  }

  /// A name that cannot move the cursor or turn the writing direction of a terminal.
  static func harmless(_ name: some StringProtocol) -> String {
    var text = ""
    for scalar in name.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
        text.unicodeScalars.append("\u{fffd}")
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
