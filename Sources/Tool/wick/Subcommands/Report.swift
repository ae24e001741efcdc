import WickProfile
import WickRender

/// `wick report`: hot functions, lines, groups or call trees as text.
enum Report: Subcommand {
  static let name = "report"
  static let summary =
    "Shows what takes the most CPU time or memory: functions, lines, processes, calls."
  static let synopsis = "[OPTIONS] [FILE]"
  static let wordLimit: Int? = 1
  static let example = "wick report --callers malloc --focus thread:worker server.wick"
  static let discussion = """
    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. 'self' is the time in a function's own code,
    'total' that in it and in what it calls. With '--lines' the same of source lines; code of which
    no line is known is listed by function, so that nothing is left out.
    In trees a call stands below its caller, and is indented only where that has several; at more than
    24 of these its depth is said instead. F is a PATTERN, too; a recursion counts once, with its
    first call.
    With '--leaks' stacks are listed whose allocations are still live at the end, with their age; '--by
    type' counts alloc_space. Of sampled allocations ± is the 95 % interval.

    \(ValueOptions.discussion)

    \(Selection.discussion)
    """
  static let options =
    ReportView.options + [ValueOptions.types] + SplitOptions.options + [
      ValueOptions.value("What is counted"),
      Option(name: "--json", help: "Writes JSON for programs."),
      Option(
        name: "--output", letter: "o", value: "FILE", help: "Where to write (standard output)."),
    ] + Selection.options + Naming.options

  static func run(_ arguments: Arguments) throws -> Int32 {
    let view = try ReportView(arguments)
    let input = try Input.read(
      arguments.words.first, naming: Naming(arguments), selection: Selection(arguments),
      keepsTypes: view.needsTypes)
    let report = try view.report(on: input, arguments)
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
