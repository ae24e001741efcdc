import CWickFormat

/// Help texts, all made from the tables of the subcommands.
enum Help {
  static var overview: String {
    var text = """
      wick \(WICK_VERSION): a sampling profiler and flame graph generator for servers on Linux

      Usage: wick SUBCOMMAND …


      """
    for subcommand in Wick.subcommands {
      text += "  \(padded(subcommand.name, 12))\(subcommand.summary)\n"
    }
    text += """
        \(padded("help", 12))Shows how a subcommand is used.

      Begin with:

        wick attach PID -o server.svg --open
        wick record -- ./server
        wick flamegraph

      Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found or not permitted, 4 recording
      damaged (what was whole is still shown); 'record' keeps the code of its command.

      """
    return text
  }

  static func page(of subcommand: any Subcommand.Type) -> String {
    var text = """
      \(subcommand.summary)

      Usage: wick \(subcommand.name)\(subcommand.synopsis.isEmpty ? "" : " ")\(subcommand.synopsis)

      \(subcommand.discussion)

      Options:

      """
    let help = Option(name: "--help", letter: "h", value: nil, help: "Shows this page.")
    for option in subcommand.options + [help] {
      let letter = option.letter.map { "-\($0), " } ?? "    "
      let value = option.value.map { option.isValueOptional ? "[=\($0)]" : " \($0)" } ?? ""
      text += "  \(padded("\(letter)\(option.name)\(value)", 26))\(option.help)\n"
    }
    return text + "\nExample:\n  \(subcommand.example)\n"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(2, width - text.count))
  }

  /// The candidate that a mistyped word was most likely meant to be: it begins like the word, or at
  /// most a third of it differs.
  static func nearest(to word: String, in candidates: [String]) -> String? {
    let longer = candidates.filter { word.count > 3 && $0.hasPrefix(word) }
    if longer.count == 1 { return longer[0] }
    let ranked = candidates.map { (distance(word, $0), $0) }.min { $0.0 < $1.0 }
    guard let (distance, candidate) = ranked, distance <= max(1, candidate.count / 3) else {
      return nil
    }
    return candidate
  }

  /// Levenshtein's distance.
  private static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (i, a) in first.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in second.enumerated() {
        let cost = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = cost
      }
    }
    return row[second.count]
  }
}
