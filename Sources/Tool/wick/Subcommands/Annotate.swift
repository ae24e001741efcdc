import Glibc
import WickProfile
import WickRender

/// `wick annotate`: sources with what their lines cost.
enum Annotate: Subcommand {
  static let name = "annotate"
  static let summary = "Shows source code with the time that each line takes."
  static let synopsis = "[OPTIONS] [FILE [FUNCTION|SOURCE[:LINE]]]"
  static let wordLimit: Int? = 2
  static let example = "wick annotate server.wick handle_request -o hot.html"
  static let discussion = """
    FILE is a recording, or '-' for standard input; without it the newest recording in the current
    folder is read. FUNCTION shows one function's lines; its name may lack parameters and what
    stands before its last parts. SOURCE is a path or its last parts. Without these, the files on
    this machine that take the most time are shown. Beside each line stand the samples in itself
    and, as 'total', those in what it calls, too; 'Own' above are those in all lines and in what
    these call that has no source. '>' marks lines with many samples in themselves, and the one of
    which callers and instructions are shown. Where that was inlined is said.

    \(ValueOptions.discussion)

    \(Selection.discussion)
    """
  static let options =
    [
      Option(
        name: "--all", letter: "a", help: "Shows whole files, not only around lines with samples."),
      Option(name: "--callers", help: "Shows who calls the hottest line, or LINE."),
      Option(
        name: "--disassemble", letter: "d",
        help: "Shows the instructions of that line, with samples."),
      Option(
        name: "--top", letter: "n", value: "N", help: "How many files, where several could be (3)."),
      ValueOptions.value("What is counted"),
      Option(
        name: "--source-dir", value: "DIR", help: "Where sources are, too. May be repeated.",
        isRepeatable: true),
      Option(
        name: "--source-map", value: "FROM=TO",
        help: "How paths begin here that were FROM… when built. May be repeated.",
        isRepeatable: true),
      Option(name: "--json", help: "Writes JSON for programs."),
      Option(name: "--html", help: "Writes a page for a browser, as does FILE with .html."),
      Option(
        name: "--output", letter: "o", value: "FILE", help: "Where to write (standard output)."),
    ] + Selection.options + Naming.options.filter { $0.name != "--addresses" }

  static func run(_ arguments: Arguments) throws -> Int32 {
    let limit = try arguments.integer("--top", in: 1...10_000) ?? 3
    let paths = SourcePaths(
      folders: arguments.folders("--source-dir"), substitutions: try substitutions(arguments))
    let output = arguments.value("--output") ?? "-"
    let isHTML = arguments.has("--html") || output.hasSuffix(".html")
    guard !arguments.has("--json") || !isHTML else {
      throw arguments.usage("'--json' and a page cannot be one file")
    }
    var input = try Input.read(
      arguments.words.first, naming: Naming(arguments), selection: Selection(arguments))
    let column = try input.column(arguments)
    input.profile = input.profile.endingInOwnCode(for: column)
    var reader = SourceReader(paths, for: input.profile)
    let sourced = reader.sourced
    let selection = try SourceSelection(
      arguments.words.dropFirst().first, of: input, sourced: sourced, column: column, limit: limit,
      arguments)
    if let shortage = selection.shortage { Console.error(shortage) }
    let extent = AnnotatedSource.Extent(
      context: arguments.has("--all") ? nil : 3, line: selection.line,
      showsCallers: arguments.has("--callers"))
    var sources = try selection.values.map { values in
      let own = SourceValues(
        sourced, file: values.file, function: values.function, column: column)
      let text = reader.read(values.file)
      try selection.checkLine(in: text, values)
      let program = text.flatMap { reader.program(olderThan: $0.path, among: values.modules) }
      return AnnotatedSource(
        values, own: own, of: input.profile, column: column, text: text, newerThan: program,
        extent: extent)
    }
    if arguments.has("--disassemble") {
      Progress.during("reading machine code") { _ in
        var disassembly = LineDisassembly(of: input.profile, column: column)
        for index in sources.indices {
          sources[index].code = disassembly.listings(for: sources[index])
        }
      }
    }
    let title = input.profile.origin.processes.first?.name.map(String.init) ?? input.path
    let annotation = Annotation(
      sources, skipped: selection.skipped, of: input.profile, column: column, title: title)
    try OutputFile.write(output) { sink in
      if isHTML {
        annotation.writeHTML(to: &sink)
      } else if arguments.has("--json") {
        annotation.writeJSON(to: &sink)
      } else {
        annotation.writeText(isColored: output == "-" && Terminal.isColored, to: &sink)
      }
    }
    if isHTML, output != "-" { Console.note("wrote \(output)") }
    return input.exitCode
  }

  private static func substitutions(
    _ arguments: Arguments
  ) throws -> [SourcePaths.Substitution] {
    try arguments.all("--source-map").map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw arguments.usage("'--source-map' must be FROM=TO, not '\(text)'")
      }
      return SourcePaths.Substitution(from: String(parts[0]), to: String(parts[1]))
    }
  }
}
