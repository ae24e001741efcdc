import WickProfile
import WickRender

/// `wick report`: hot functions as text.
enum Report: Subcommand {
  static let name = "report"
  static let summary = "Lists the functions that take the most CPU time."
  static let synopsis = "[OPTIONS] [FILE]"
  static let wordLimit: Int? = 1
  static let example = "wick report -n 10 server.wick"
  static let discussion = """
    FILE is a recording, folded stacks, or '-' for standard input; without it the newest recording
    in the current folder is read. 'self' is the time in a function's own code, 'total' that in it
    and in what it calls.
    """
  static let options = [
    Option(name: "--top", letter: "n", value: "N", help: "How many functions (20)."),
    Option(name: "--json", help: "Writes JSON for programs."),
    Option(name: "--output", letter: "o", value: "FILE", help: "Where to write (standard output)."),
    Option(name: "--addresses", help: "Leaves addresses as they are, without names."),
  ]

  static func run(_ arguments: Arguments) throws -> Int32 {
    let limit = try arguments.integer("--top", in: 1...1_000_000) ?? 20
    let input = try Input.read(
      arguments.words.first, symbolicate: !arguments.has("--addresses"))
    let report = HotFunctionReport(input.profile, limit: limit)
    try OutputFile.write(arguments.value("--output") ?? "-") { sink in
      if arguments.has("--json") {
        report.writeJSON(to: &sink)
      } else {
        report.writeText(to: &sink)
      }
    }
    return input.exitCode
  }
}
