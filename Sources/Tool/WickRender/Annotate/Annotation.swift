public import WickProfile

/// Source files with what their lines cost, and an account of how the figures came about.
public struct Annotation: Sendable {
  /// What is counted.
  public let valueType: ValueType
  /// Sum over all stacks.
  public let total: Int64
  /// The files.
  public let sources: [AnnotatedSource]
  /// Files that cost more than one of `sources` and were left out as they were not found.
  public let skipped: [SourceTable.Row]
  /// Headline of a page.
  let title: String
  /// How the figures came about.
  let account: ProfileAccount
  /// Short names of all files of the profile.
  let names: SourceNames

  /// Puts annotated files together.
  ///
  /// - Parameters:
  ///   - sources: The files.
  ///   - skipped: Files that cost more and were left out as they were not found.
  ///   - profile: Where their values are from.
  ///   - column: Index into `profile.valueTypes`: what the values count.
  ///   - title: Headline of a page.
  public init(
    _ sources: [AnnotatedSource], skipped: [SourceTable.Row] = [], of profile: Profile,
    column: Int = 0, title: String = "Annotated"
  ) {
    self.sources = sources
    self.skipped = skipped
    self.title = title
    valueType = profile.valueTypes[column]
    total = profile.total(of: column)
    account = ProfileAccount(profile, column: column)
    names = SourceNames(profile.frames.compactMap { SourceLine($0).file })
  }

  /// A share of the total, from 0 to 1,000.
  func permille(_ value: Int64) -> Int {
    total > 0 ? Int(max(0, min(1000, 1000 * Int128(value) / Int128(total)))) : 0
  }

  /// What was left out, as a sentence without its end; nil for nothing.
  var skippedText: String? {
    guard !skipped.isEmpty else { return nil }
    let shown = skipped.prefix(4).map {
      "\(names[$0.file]) \(Decimal.percent($0.selfValue, of: total)) %"
    }
    let rest = skipped.count > shown.count ? " and \(skipped.count - shown.count) more" : ""
    return "without their source here: \(shown.joined(separator: ", "))\(rest)"
  }

  /// A place as `function at file:line`.
  func text(_ place: LineTable.Place) -> String {
    let module = place.function.module
    guard place.line.file != nil else {
      return "\(place.function.name)\(module.isEmpty ? "" : " in \(module)")"
    }
    return "\(place.function.name) at \(names.text(place.line))"
  }

  /// Where a line was inlined.
  func text(_ chain: LineOrigins.InlineChain) -> String {
    chain.places.isEmpty
      ? "not inlined" : chain.places.map { "into \(text($0))" }.joined(separator: ", ")
  }

  /// Who calls a line.
  func text(_ caller: LineOrigins.Caller) -> String {
    guard let place = caller.place else { return "nobody: the stack begins there" }
    return "\(text(place))\(caller.isInlined ? " (inlined there)" : "")"
  }

  /// What is amiss with a source, as a sentence without its end.
  func text(_ problem: AnnotatedSource.Problem) -> String {
    switch problem {
    case .missing:
      "the source was not found, so only its line numbers are shown; say where it is with "
        + "--source-dir DIR or --source-map FROM=TO"
    case .newer(let program): "the source is newer than \(program): its lines may have moved"
    case .short(let count):
      "the source has only \(count) \(count == 1 ? "line" : "lines"), fewer than when the program "
        + "was made"
    }
  }
}
