/// An unwind table as text: from an address on, how the caller's stack pointer, frame pointer and one
/// more register are found, in the words of `readelf --debug-dump=frames-interp`.
struct UnwindRows {
  /// What an architecture calls them.
  struct Registers {
    let stackPointer: String
    let framePointer: String
    let other: String
    /// Registers by which a CFA can be given.
    let cfa: [String]
    /// Where the return address always is; nil where it is like any register.
    let returnAddress: String?

    static let x86 = Registers(
      stackPointer: "rsp", framePointer: "rbp", other: "r14", cfa: ["rsp", "rbp", "rbx"],
      returnAddress: "c-8")
    static let aarch64 = Registers(
      stackPointer: "sp", framePointer: "x29", other: "ra", cfa: ["sp", "x29"], returnAddress: nil)
  }

  struct Row: Equatable {
    let address: UInt
    let cfa: String
    let fp: String
    let other: String
  }

  private(set) var rows: [Row] = []

  /// Reads the lines of the `table-rows` program.
  init(program text: String) {
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = Self.words(line)
      guard words.count == 4, let address = UInt(words[0], radix: 16) else { continue }
      append(Row(address: address, cfa: words[1], fp: words[2], other: words[3]))
    }
  }

  /// Reads what readelf printed.
  ///
  /// A row that no rule of the agent's can state is "unknown".
  init(readelf text: String, registers: Registers = .x86) {
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
          address, named, registers, isSignalFrame: entries[cie]?.isSignalFrame ?? false)
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
        rows = [Row(address: function.start, cfa: row.cfa, fp: row.fp, other: row.other)]
      }
      for row in rows where row.address < function.end { append(row) }
      append(Row(address: function.end, cfa: "none", fp: "-", other: "-"))
    }
  }

  private static func row(
    _ address: UInt, _ columns: [String: String], _ registers: Registers, isSignalFrame: Bool
  ) -> Row {
    func row(_ cfa: String) -> Row { Row(address: address, cfa: cfa, fp: "-", other: "-") }
    func place(_ name: String) -> String {
      let place = columns[name] ?? "u"
      return place == "s" ? "u" : place
    }
    let cfa = columns["CFA"] ?? ""
    if let returnAddress = registers.returnAddress {
      if columns["ra"] == "u" { return row("end") }
      if isSignalFrame, cfa == "exp" { return row("signal") }
      guard columns["ra"] == returnAddress else { return row("unknown") }
    }
    guard cfa == "exp" || registers.cfa.contains(where: { cfa.hasPrefix($0) }) else {
      return row("unknown")
    }
    return Row(
      address: address, cfa: cfa, fp: place(registers.framePointer),
      other: place(registers.other))
  }

  /// Words, without the second name that readelf gives a register: "r9 (r9)".
  private static func words(_ line: Substring.UTF8View) -> [String] {
    line.split(separator: UInt8(ascii: " "))
      .filter { $0.first != UInt8(ascii: "(") }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func append(_ row: Row) {
    if rows.last?.address == row.address { rows.removeLast() }
    if let last = rows.last, last.cfa == row.cfa, last.fp == row.fp, last.other == row.other {
      return
    }
    if rows.isEmpty, row.cfa == "none" { return }
    rows.append(row)
  }
}
