import WickFormats
import WickProfile

/// `wick folded`: stacks as text.
enum FoldedCommand: Subcommand {
  static let name = "folded"
  static let summary = "Writes each stack as one line: root;…;leaf weight."
  static let synopsis = "[OPTIONS] [FILE]"
  static let wordLimit: Int? = 1
  static let example = "wick folded server.wick | grep handle_request"
  static let discussion = """
    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. Every flame graph tool reads these lines.

    \(ValueOptions.discussion)

    \(Selection.discussion)
    """
  static let options =
    [
      Option(
        name: "--output", letter: "o", value: "FILE", help: "Where to write (standard output)."),
      ValueOptions.value("What weights count"),
      ValueOptions.types,
      Option(name: "--mark-inlined", help: "Ends names of inlined functions with '_[i]'."),
    ] + SplitOptions.options + Selection.options + Naming.options

  static func run(_ arguments: Arguments) throws -> Int32 {
    let input = try Input.read(
      arguments.words.first, naming: Naming(arguments), selection: Selection(arguments),
      keepsTypes: arguments.has("--types"))
    let column = try input.column(arguments)
    let profile = input.profile.rooted(at: SplitOptions.roots(arguments))
    try OutputFile.write(arguments.value("--output") ?? "-") {
      Folded.write(
        profile, column: column, marksInlined: arguments.has("--mark-inlined"), to: &$0)
    }
    return input.exitCode
  }
}
