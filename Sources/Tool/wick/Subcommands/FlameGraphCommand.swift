import WickProfile
import WickRender

/// `wick flamegraph`: the picture.
enum FlameGraphCommand: Subcommand {
  static let name = "flamegraph"
  static let summary = "Draws a flame graph as one SVG file."
  static let synopsis = "[OPTIONS] [FILE]"
  static let wordLimit: Int? = 1
  static let example = "wick flamegraph server.wick -o server.svg"
  static let discussion = """
    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. The SVG opens in any browser without a request
    to anywhere: click zooms, '/' searches, Escape goes back.
    """
  static let options =
    [
      Option(
        name: "--output", letter: "o", value: "FILE",
        help: "Where to write; '-' is standard output (FILE with .svg)."),
      Option(name: "--title", letter: "t", value: "TEXT", help: "Headline (the command's name)."),
      Option(
        name: "--column", letter: "c", value: "NAME",
        help: "What widths count: samples, or cpu for time (samples)."),
    ] + Naming.options

  static func run(_ arguments: Arguments) throws -> Int32 {
    let input = try Input.read(arguments.words.first, naming: Naming(arguments))
    let column = try input.column(arguments)
    let path = arguments.value("--output") ?? input.path(withExtension: "svg")
    try OutputFile.write(path) {
      try write(input, title: arguments.value("--title"), column: column, to: &$0)
    }
    if path != "-" { Console.note("wrote \(path)") }
    return input.exitCode
  }

  /// Draws a column of a profile.
  static func write(
    _ input: Input, title: String? = nil, column: Int = 0, to sink: inout ByteSink
  ) throws {
    let profile = input.profile
    let program = profile.origin.processes.first?.name.map(String.init)
    let options = FlameGraph.Options(
      title: title ?? program ?? "Flame graph",
      subtitle: profile.origin.processes.isEmpty
        ? "" : Summary.text(of: profile).split(separator: "\n").joined(separator: " · "))
    FlameGraph(CallTree(profile, column: column), options: options).write(to: &sink)
  }
}
