import WickProfile
import WickRender

/// `wick report`: hot functions or lines as text.
enum Report: Subcommand {
  static let name = "report"
  static let summary = "Lists the functions, or source lines, that take the most CPU time."
  static let synopsis = "[OPTIONS] [FILE]"
  static let wordLimit: Int? = 1
  static let example = "wick report -n 10 server.wick"
  static let discussion = """
    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. 'self' is the time in a function's own code,
    'total' that in it and in what it calls. With '--lines' the same of source lines; code of which
    no line is known is listed by function, so that nothing is left out.
    """
  static let options =
    [
      Option(name: "--top", letter: "n", value: "N", help: "How many functions or lines (20)."),
      Option(name: "--lines", letter: "l", help: "Lists source lines."),
      Option(
        name: "--column", letter: "c", value: "NAME",
        help: "What is counted: samples, or cpu for time (samples)."),
      Option(name: "--json", help: "Writes JSON for programs."),
      Option(
        name: "--output", letter: "o", value: "FILE", help: "Where to write (standard output)."),
    ] + Naming.options

  static func run(_ arguments: Arguments) throws -> Int32 {
    let limit = try arguments.integer("--top", in: 1...1_000_000) ?? 20
    let input = try Input.read(arguments.words.first, naming: Naming(arguments))
    let column = try input.column(arguments)
    let path = arguments.value("--output") ?? "-"
    guard !arguments.has("--lines") else {
      let report = HotLineReport(input.profile, column: column, limit: limit)
      try OutputFile.write(path) { sink in
        if arguments.has("--json") {
          report.writeJSON(to: &sink)
        } else {
          report.writeText(to: &sink)
        }
      }
      return input.exitCode
    }
    let report = HotFunctionReport(input.profile, column: column, limit: limit)
    try OutputFile.write(path) { sink in
      if arguments.has("--json") {
        report.writeJSON(to: &sink)
      } else {
        report.writeText(to: &sink)
      }
    }
    return input.exitCode
  }
}
