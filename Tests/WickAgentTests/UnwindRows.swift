/// An unwind table as text: from an address on, how the caller's stack and frame pointer are found,
/// in the words of `readelf --debug-dump=frames-interp`.
struct UnwindRows {
  struct Row: Equatable {
    let address: UInt
    let cfa: String
    let fp: String
  }

  private(set) var rows: [Row] = []

  /// Reads the lines of the `table-rows` program.
  init(program text: String) {
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = Self.words(line)
      guard words.count == 3, let address = UInt(words[0], radix: 16) else { continue }
      append(Row(address: address, cfa: words[1], fp: words[2]))
    }
  }

  /// Reads what readelf printed.
  ///
  /// A row that no rule of the agent's can state is "unknown".
  init(readelf text: String) {
    var functions: [(cie: String, start: UInt, end: UInt, rows: [Row])] = []
    var entries: [String: (isSignalFrame: Bool, row: Row?)] = [:]
    var columns: [String] = []
    var cie = ""
    var isFunction = false
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = Self.words(line)
      if words.count >= 5, words[3] == "CIE" {
        cie = words[0]
        entries[cie] = (words[4].contains("S"), nil)
        isFunction = false
      } else if words.count >= 6, words[3] == "FDE" {
        cie = String(words[4].dropFirst("cie=".count))
        let range = words[5].dropFirst("pc=".count).split(separator: ".")
        guard range.count == 2, let start = UInt(range[0], radix: 16),
          let end = UInt(range[1], radix: 16)
        else { continue }
        functions.append((cie, start, end, []))
        isFunction = true
      } else if words.first == "LOC" {
        columns = words
      } else if words.count == columns.count, words[0].count == 16,
        let address = UInt(words[0], radix: 16)
      {
        let named = Dictionary(zip(columns, words)) { first, _ in first }
        let row = Self.row(
          address, cfa: named["CFA"] ?? "", fp: named["rbp"] ?? "u", ra: named["ra"] ?? "",
          isSignalFrame: entries[cie]?.isSignalFrame ?? false)
        if isFunction {
          functions[functions.count - 1].rows.append(row)
        } else {
          entries[cie]?.row = row
        }
      }
    }
    for function in functions.sorted(by: { $0.start < $1.start }) {
      guard function.start < function.end else { continue }
      var rows = function.rows
      if rows.isEmpty, let row = entries[function.cie]?.row {
        // Without instructions of its own, the function has only the row of its CIE.
        rows = [Row(address: function.start, cfa: row.cfa, fp: row.fp)]
      }
      for row in rows where row.address < function.end { append(row) }
      append(Row(address: function.end, cfa: "none", fp: "-"))
    }
  }

  private static func row(
    _ address: UInt, cfa: String, fp: String, ra: String, isSignalFrame: Bool
  ) -> Row {
    if ra == "u" { return Row(address: address, cfa: "end", fp: "-") }
    if isSignalFrame, cfa == "exp" { return Row(address: address, cfa: "signal", fp: "-") }
    let isKnown = cfa == "exp" || ["rsp", "rbp", "rbx"].contains(String(cfa.prefix(3)))
    guard isKnown, ra == "c-8" else { return Row(address: address, cfa: "unknown", fp: "-") }
    return Row(address: address, cfa: cfa, fp: fp == "s" ? "u" : fp)
  }

  /// Words, without the second name that readelf gives a register: "r9 (r9)".
  private static func words(_ line: Substring.UTF8View) -> [String] {
    line.split(separator: UInt8(ascii: " "))
      .filter { $0.first != UInt8(ascii: "(") }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func append(_ row: Row) {
    if rows.last?.address == row.address { rows.removeLast() }
    if let last = rows.last, last.cfa == row.cfa, last.fp == row.fp { return }
    if rows.isEmpty, row.cfa == "none" { return }
    rows.append(row)
  }
}
