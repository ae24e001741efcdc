public import WickProfile

/// A source file with what its lines cost.
public struct AnnotatedSource: Sendable {
  /// Why the text may be missing or not fit the code.
  public enum Problem: Hashable, Sendable {
    /// There is no such file, wherever it was looked for.
    case missing
    /// The file was changed after the program was made.
    case newer(program: String)
    /// There are lines behind the end of the file.
    case short(lineCount: Int)
  }

  /// A line to show.
  struct Row {
    var number: UInt32
    var selfValue: Int64 = 0
    var totalValue: Int64 = 0
    /// Whether lines are left out before this one.
    var followsGap = false
  }

  /// What the lines cost.
  public let values: SourceValues
  /// What the lines cost with all that they call of which there is no source.
  public let own: SourceValues
  /// Where the text was found; nil where it was not.
  public let path: String?
  /// The text; nil where it was not found.
  let text: SourceText?
  /// What is amiss, in the order of `Problem`.
  public let problems: [Problem]
  /// The line that `origins` and `code` are of; nil where no line is known.
  public let line: SourceValues.Line?
  /// How stacks come to `line`.
  public let origins: LineOrigins?
  /// Whether callers are shown.
  let showsCallers: Bool
  /// Machine code of `line`.
  public var code: [CodeListing] = []
  /// Lines to show, by number.
  let rows: [Row]

  /// What is shown of a file.
  public struct Extent: Sendable {
    /// Lines shown around each line that costs something; nil for the whole file.
    public var context: Int?
    /// A line that is looked at more closely instead of the hottest.
    public var line: UInt32?
    /// Whether the callers of that line are shown.
    public var showsCallers: Bool

    /// Creates an extent.
    public init(context: Int? = 3, line: UInt32? = nil, showsCallers: Bool = false) {
      self.context = context
      self.line = line
      self.showsCallers = showsCallers
    }
  }

  /// Annotates a file.
  ///
  /// - Parameters:
  ///   - values: What the lines cost.
  ///   - own: The same of the profile without frames of which there is no source, by which the
  ///     hottest line is chosen; nil for `values`.
  ///   - profile: Where `values` is from.
  ///   - column: The column that `values` counts.
  ///   - text: The file's text and where it was found; nil where it was not.
  ///   - newerThan: The program that is older than the text; nil where none is.
  ///   - extent: What is shown.
  public init(
    _ values: SourceValues, own: SourceValues? = nil, of profile: Profile, column: Int = 0,
    text: (path: String, text: SourceText)?, newerThan: String? = nil, extent: Extent = Extent()
  ) {
    self.values = values
    self.own = own ?? values
    self.text = text?.text
    path = text?.path
    showsCallers = extent.showsCallers
    if let wanted = extent.line {
      line =
        values.lines.first { $0.number == wanted }
        ?? SourceValues.Line(number: wanted)
    } else {
      let hottest = self.own.hottest ?? values.hottest
      line = values.lines.first { $0.number == hottest?.number }
    }
    origins = line.map {
      LineOrigins(
        profile, line: SourceLine(file: values.file, line: $0.number), function: values.function,
        column: column)
    }
    var problems: [Problem] = text == nil ? [.missing] : []
    if let newerThan { problems.append(.newer(program: newerThan)) }
    if let text, let last = values.lines.last, last.number > text.text.lineCount {
      problems.append(.short(lineCount: text.text.lineCount))
    }
    self.problems = problems
    rows = Self.rows(values, lineCount: text?.text.lineCount, extent: extent)
  }

  /// The lines with their neighborhood, or all.
  private static func rows(_ values: SourceValues, lineCount: Int?, extent: Extent) -> [Row] {
    var costs: [UInt32: SourceValues.Line] = [:]
    for line in values.lines where line.number > 0 { costs[line.number] = line }
    if let line = extent.line, costs[line] == nil {
      costs[line] = SourceValues.Line(number: line)
    }
    var rows: [Row] = []
    func add(_ number: UInt32) {
      // Without a text there is nothing to leave out.
      let gap = lineCount != nil && (rows.last.map { number > $0.number + 1 } ?? (number > 1))
      let cost = costs[number]
      rows.append(
        Row(
          number: number, selfValue: cost?.selfValue ?? 0, totalValue: cost?.totalValue ?? 0,
          followsGap: gap))
    }
    let end = Int64(lineCount ?? 0)
    var next: Int64 = 1
    func addText(through last: Int64) {
      while next <= min(last, end) {
        add(UInt32(next))
        next += 1
      }
    }
    for number in costs.keys.sorted() {
      let number = Int64(number)
      if let context = extent.context.map({ Int64(max(0, $0)) }) {
        // A mark for a gap of one line would take as much room as the line.
        if number - context > next + 1 { next = number - context }
        addText(through: number + context)
      } else {
        addText(through: number)
      }
      if number > end { add(UInt32(number)) }
    }
    if extent.context == nil || next == end { addText(through: end) }
    return rows
  }

  /// The cost of code that is of no line; nil where there is none.
  var withoutLine: SourceValues.Line? { values.lines.first { $0.number == 0 } }
}
