import WickProfile
import WickRender

/// `wick diff`: what changed between two profiles.
enum Diff: Subcommand {
  static let name = "diff"
  static let summary = "Compares two profiles: what takes more, or less, than before."
  static let synopsis = "[OPTIONS] BEFORE [AFTER]"
  static let wordLimit: Int? = 2
  static let example = "wick diff --normalize total --svg change.svg before.wick after.wick"
  static let discussion = """
    BEFORE and AFTER are recordings, 'perf script' text or folded stacks; BEFORE alone is folded text
    with two numbers a line. A list says which functions changed, self and total; with '--svg' a flame
    graph shows where: boxes are as wide as after, orange is more, blue is less, and at the right
    stands what is no more. What chance explains (3 standard deviations of the counts) is grey.
    Recordings of different length are compared with '--normalize total', as shares, or with
    '--requests', by what a request costs.

    \(ValueOptions.discussion)

    \(Selection.discussion)
    """
  static let options =
    [
      Option(name: "--svg", value: "FILE", help: "Draws a flame graph of the differences."),
      Option(name: "--json", help: "Writes JSON for programs: all functions and call paths."),
      Option(name: "--top", letter: "n", value: "N", help: "How many functions (20)."),
      Option(
        name: "--normalize", value: "HOW",
        help: "Scales BEFORE: total makes the sums equal (none)."),
      Option(
        name: "--requests", value: "B,A",
        help: "Scales BEFORE by the requests that both have served."),
      ValueOptions.value("What is compared"),
      Option(name: "--title", letter: "t", value: "TEXT", help: "Headline of the flame graph."),
      Option(
        name: "--output", letter: "o", value: "FILE",
        help: "Where to write the list (standard output)."),
    ] + Selection.options + Naming.options

  static func run(_ arguments: Arguments) throws -> Int32 {
    let limit = try arguments.integer("--top", in: 1...1_000_000) ?? 20
    let normalization = try normalization(arguments)
    guard let first = arguments.words.first else {
      throw arguments.usage("nothing to compare: name two files")
    }
    let selection = try Selection(arguments)
    let before = try Input.read(first, naming: Naming(arguments), selection: selection)
    let comparison: Comparison
    var sources: (before: Profile, after: Profile)?
    var exitCode = before.exitCode
    if arguments.words.count > 1 {
      let after = try Input.read(
        arguments.words[1], naming: Naming(arguments), selection: selection)
      comparison = try Comparison(
        before: before.profile, after: after.profile,
        columns: (before.column(arguments), after.column(arguments)), normalization: normalization)
      sources = (before.profile, after.profile)
      exitCode = max(exitCode, after.exitCode)
    } else if before.isComparison {
      comparison = Comparison(before.profile, normalization: normalization)
    } else {
      throw arguments.usage("'\(first)' is one profile: name another to compare it with")
    }
    if let path = arguments.value("--svg") {
      let title = arguments.value("--title") ?? title(arguments.words)
      let graph = Progress.during("drawing \(path)") { _ in
        FlameGraph(
          comparison,
          options: FlameGraph.Options(
            title: title, subtitle: subtitle(sources, comparison.profile.valueTypes[0])))
      }
      try OutputFile.write(path) { graph.write(to: &$0) }
      if path != "-" { Console.note("wrote \(path)") }
      if path == "-" { return exitCode }
    }
    let report = ComparisonReport(comparison, limit: limit, sources: sources)
    try OutputFile.write(arguments.value("--output") ?? "-") { sink in
      if arguments.has("--json") {
        report.writeJSON(to: &sink)
      } else {
        report.writeText(to: &sink)
      }
    }
    return exitCode
  }

  /// The files' names, without their folders.
  private static func title(_ paths: [String]) -> String {
    paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: " → ")
  }

  /// How much was recorded of the two, and what was lost; in one line, so the rest is in the list.
  private static func subtitle(
    _ sources: (before: Profile, after: Profile)?, _ type: ValueType
  ) -> String {
    guard let sources else { return "" }
    return [("before", sources.before), ("after", sources.after)]
      .filter { !$0.1.origin.processes.isEmpty }
      .map { label, profile in
        if type.isOfMemory, let allocations = SampleAccounting(profile).allocations {
          return "\(label): \(type.name), \(allocations.line)"
        }
        let lost = Int64(clamping: SampleAccounting(profile).lostWeight)
        let samples = Summary.grouped(profile.total(of: 0))
        return "\(label): \(samples) samples, \(Summary.grouped(lost)) lost"
      }.joined(separator: " · ")
  }

  private static func normalization(_ arguments: Arguments) throws -> Comparison.Normalization {
    let how = try arguments.choice("--normalize", of: ["none", "total"])
    guard let text = arguments.value("--requests") else { return how == "total" ? .total : .none }
    let numbers = text.split(separator: ",").compactMap { Double($0) }
    guard numbers.count == 2, numbers.allSatisfy({ $0 > 0 && $0 < 1e15 }), how == nil else {
      throw arguments.usage(
        "'--requests' must be two numbers above 0, such as 12000,11800, without '--normalize'")
    }
    return .work(before: numbers[0], after: numbers[1])
  }
}
