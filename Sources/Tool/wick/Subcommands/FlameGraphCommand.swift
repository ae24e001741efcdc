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

    \(ValueOptions.discussion)

    \(Selection.discussion)
    """
  static let options =
    [
      Option(
        name: "--output", letter: "o", value: "FILE",
        help: "Where to write; '-' is standard output (FILE with .svg)."),
      Option(name: "--title", letter: "t", value: "TEXT", help: "Headline (the command's name)."),
      Option(name: "--subtitle", value: "TEXT", help: "The line below (how it was recorded)."),
      Option(name: "--notes", value: "TEXT", help: "A remark below the picture."),
      ValueOptions.value("What widths count"),
      Option(name: "--count-name", value: "TEXT", help: "What the counts are called (samples)."),
      Option(
        name: "--colors", value: "NAME",
        help: "By owner (whose code it is), or a hue: \(hues)."),
      Option(name: "--width", value: "PIXELS", help: "Width without script (1200)."),
      Option(name: "--height", value: "PIXELS", help: "Height of a row (16)."),
      Option(
        name: "--min-width", value: "PIXELS", help: "Narrower boxes only script shows (0.5)."),
      ValueOptions.types,
    ] + SplitOptions.options + Selection.options + Naming.options

  private static let hues = Palette.allCases.dropFirst().map(\.rawValue).joined(separator: ", ")

  static func run(_ arguments: Arguments) throws -> Int32 {
    var options = FlameGraph.Options()
    let palettes = Palette.allCases.map(\.rawValue)
    let palette = try arguments.choice("--colors", of: palettes).flatMap(Palette.init(rawValue:))
    options.palette = palette ?? .owner
    options.width = try arguments.integer("--width", in: 200...100_000) ?? options.width
    options.rowHeight = try arguments.integer("--height", in: 8...200) ?? options.rowHeight
    let minimumWidth = try arguments.decimal("--min-width", in: 0...1000)
    options.minimumWidth = minimumWidth ?? options.minimumWidth
    options.notes = arguments.value("--notes") ?? ""
    options.roots = SplitOptions.roots(arguments)
    options.countName = arguments.value("--count-name")
    let input = try Input.read(
      arguments.words.first, naming: Naming(arguments), selection: Selection(arguments),
      keepsTypes: arguments.has("--types"))
    let column = try input.column(arguments)
    let path = arguments.value("--output") ?? input.path(withExtension: "svg")
    options.title = arguments.value("--title") ?? title(of: input, column: column)
    options.subtitle = arguments.value("--subtitle") ?? subtitle(of: input, column: column)
    let graph = Progress.during("drawing \(input.description)") { _ in
      input.isComparison && arguments.value("--value") == nil
        ? FlameGraph(Comparison(input.profile), options: options)
        : FlameGraph(input.profile, column: column, options: options)
    }
    try OutputFile.write(path) { graph.write(to: &$0) }
    if path != "-" { Console.note("wrote \(path)") }
    return input.exitCode
  }

  /// Draws a profile as it is drawn without options.
  static func write(_ input: Input, to sink: inout ByteSink) {
    let options = FlameGraph.Options(title: title(of: input), subtitle: subtitle(of: input))
    FlameGraph(input.profile, options: options).write(to: &sink)
  }

  private static func title(of input: Input, column: Int = 0) -> String {
    let name = input.profile.origin.processes.first?.name.map(String.init) ?? "Flame graph"
    let type = input.profile.valueTypes[column]
    return type.isOfMemory ? "\(name): \(type.name)" : name
  }

  private static func subtitle(of input: Input, column: Int = 0) -> String {
    let profile = input.profile
    if profile.origin.processes.isEmpty { return profile.excerptText(column: column) ?? "" }
    return Summary.lines(of: profile, column: column).joined(separator: " · ")
  }
}
