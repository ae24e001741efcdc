import WickProfile
import WickRender

/// The sources that `wick annotate` shows.
struct SourceSelection {
  /// More candidates than this are not listed.
  private static let candidateLimit = 12

  /// The sources, in order.
  var values: [SourceValues]
  /// The line that was asked for.
  var line: UInt32?
  /// Sources that cost more than a chosen one, but are not on this machine.
  var skipped: [SourceTable.Row] = []
  /// Why there is so little to see, in words; nil where a source is on this machine.
  var shortage: String?

  /// Finds sources by a word, or (nil) those that cost most of what is there.
  ///
  /// What costs most are not the lines that ran themselves: most servers' time goes by in libraries
  /// without a source. A sample counts for the innermost line whose source is there, as in `sourced`,
  /// which is the input's profile without the other frames.
  init(
    _ word: String?, of input: Input, sourced: Profile, column: Int, limit: Int,
    _ arguments: Arguments
  ) throws {
    let profile = input.profile
    guard !input.isEmptyExcerpt else {
      values = []
      return
    }
    guard let word else {
      let rows = SourceTable(profile, column: column).rows.filter { $0.totalValue != 0 }
      guard !rows.isEmpty else {
        throw Failure.noTarget(
          "no source line is known of \(input.description); build the program with -g, and keep the "
            + "build that ran where it was")
      }
      let there = SourceTable(sourced, column: column).rows.filter { $0.totalValue != 0 }
      let chosen = (there.isEmpty ? rows : there).prefix(limit)
      values = chosen.map { SourceValues(profile, file: $0.file, column: column) }
      // Only those that cost more than what is shown.
      let files = Set(there.map(\.file))
      let least = chosen.last?.selfValue ?? 0
      if there.isEmpty {
        let known = rows.reduce(Int128(0)) { $0 + Int128($1.selfValue) }
        let percent = 100 * known / Int128(max(1, profile.total(of: column)))
        shortage =
          "none of the sources of \(input.description) is on this machine, and lines are known for "
          + "\(percent) % of it; build the programs with -g, and say where sources are with --source-dir"
      } else {
        skipped = rows.filter { !files.contains($0.file) && $0.selfValue > least }
      }
      return
    }
    switch try Self.target(word, of: input, arguments) {
    case .source(let file, let line):
      values = [SourceValues(profile, file: file, column: column)]
      self.line = line
    case .function(let function):
      let rows = SourceTable(profile, column: column) {
        LineTable.Place($0, in: profile).function == function
      }.rows
      guard !rows.isEmpty else {
        throw Failure.noTarget(
          "no source line is known of \(function.name); build \(function.module) with -g")
      }
      values = rows.prefix(limit).map {
        SourceValues(profile, file: $0.file, function: function, column: column)
      }
    }
  }

  /// Throws if the line that was asked for is behind the end of its source, and nothing ran there.
  func checkLine(in source: (path: String, text: SourceText)?, _ values: SourceValues) throws {
    guard let line, let source, line > source.text.lineCount,
      !values.lines.contains(where: { $0.number == line })
    else { return }
    let count = source.text.lineCount
    throw Failure.noTarget(
      "there is no line \(line) in \(source.path), which has \(count) line\(count == 1 ? "" : "s")")
  }

  private static func target(
    _ word: String, of input: Input, _ arguments: Arguments
  ) throws -> AnnotationTarget {
    do {
      return try AnnotationTarget(word, in: input.profile)
    } catch .ambiguous(let candidates) {
      let list = candidates.prefix(candidateLimit).map { "'\($0)'" }.joined(separator: ", ")
      let rest = candidates.count - candidateLimit
      throw arguments.usage(
        "'\(word)' may be \(list)\(rest > 0 ? " or one of \(rest) more" : ""); name one of them")
    } catch .unknown {
      let names = Set(input.profile.frames.map { input.profile.name(of: $0) })
      // The comparison takes its time.
      let hint = Help.nearest(to: word, in: names.sorted().prefix(10_000).map { $0 })
      throw Failure.noTarget(
        "there is no function or source '\(word)' in \(input.description)"
          + (hint.map { "; did you mean '\($0)'?" } ?? ""))
    }
  }
}
