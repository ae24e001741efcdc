import WickProfile
import WickRender

/// What `wick report` shows.
enum ReportView {
  case functions(limit: Int)
  case lines(limit: Int)
  case groups(GroupTable.Grouping, limit: Int)
  case tree(CallTreeReport.View, CallTreeReport.Limit, StackRoots, showsTypes: Bool)
  case leaks(LeakTable.Threshold, limit: Int)

  static let options = [
    Option(name: "--lines", letter: "l", help: "Lists source lines."),
    Option(
      name: "--by", value: "WHAT",
      help: "Lists what WHAT takes: process, thread, module, file or type."),
    Option(
      name: "--tree", letter: "t", help: "Shows who calls whom, from the threads' entries on."),
    Option(name: "--callers", value: "F", help: "Shows who calls F, and so on to the entries."),
    Option(name: "--callees", value: "F", help: "Shows what F calls, and so on."),
    Option(name: "--leaks", help: "Lists the stacks whose allocations are live at the end."),
    Option(
      name: "--age", value: "TIME",
      help: "Only what is live for so long, as '10s' (a tenth of the recording)."),
    Option(
      name: "--min-percent", value: "P", help: "Leaves calls of less than P % out of trees (0.5)."),
    Option(
      name: "--top", letter: "n", value: "N",
      help: "How many lines of a list (20), or calls of a tree (all)."),
  ]

  /// As the options say.
  init(_ arguments: Arguments) throws {
    let views = ["--lines", "--by", "--tree", "--callers", "--callees", "--leaks"]
      .filter(arguments.has)
    guard views.count < 2 else {
      throw arguments.usage("'\(views[0])' and '\(views[1])' are two reports; choose one")
    }
    let count = try arguments.integer("--top", in: 1...1_000_000)
    let least = try arguments.hundredthsOfPercent("--min-percent")
    let roots = SplitOptions.roots(arguments)
    guard roots.isEmpty || views == ["--tree"] || views == ["--callers"] else {
      let option = roots.contains(.process) ? "--processes" : "--threads"
      throw arguments.usage("'\(option)' is for '--tree' and '--callers'")
    }
    let showsTypes = arguments.has("--types")
    guard !showsTypes || views == ["--tree"] || views == ["--callees"] else {
      throw arguments.usage("'--types' is for '--tree' and '--callees'; see '--by type'")
    }
    let age = try ProcessArgument.duration("--age", arguments)
    guard age == nil || views == ["--leaks"] else {
      throw arguments.usage("'--age' is for '--leaks'")
    }
    let limit = CallTreeReport.Limit(hundredthsOfPercent: least ?? 50, count: count)
    switch views.first {
    case "--tree": self = .tree(.all, limit, roots, showsTypes: showsTypes)
    case "--callers":
      let view = CallTreeReport.View.callers(try Self.function("--callers", arguments))
      self = .tree(view, limit, roots, showsTypes: false)
    case "--callees":
      let view = CallTreeReport.View.callees(try Self.function("--callees", arguments))
      self = .tree(view, limit, [], showsTypes: showsTypes)
    default:
      guard least == nil else {
        throw arguments.usage("'--min-percent' is for '--tree', '--callers' and '--callees'")
      }
      let limit = count ?? 20
      guard views != ["--leaks"] else {
        guard arguments.value("--value") == nil else {
          throw arguments.usage("'--leaks' counts inuse_space; '--value' is for other reports")
        }
        self = .leaks(age.map { .age(Self.nanoseconds($0)) } ?? .youngestTenth, limit: limit)
        return
      }
      let groupings = GroupTable.Grouping.allCases.map(\.rawValue)
      let by = try arguments.choice("--by", of: groupings)
      if let grouping = by.flatMap({ GroupTable.Grouping(rawValue: $0) }) {
        self = .groups(grouping, limit: limit)
      } else {
        self = arguments.has("--lines") ? .lines(limit: limit) : .functions(limit: limit)
      }
    }
  }

  /// The pattern of an option that is for functions or modules.
  private static func function(
    _ option: String, _ arguments: Arguments
  ) throws -> FramePattern {
    let pattern = try Selection.pattern(arguments.value(option) ?? "", of: option, arguments)
    guard pattern.subject.isOfFrames else {
      throw arguments.usage(
        "'\(option) \(pattern.text)' is no function; \(Selection.plural(pattern)) have no callers")
    }
    return pattern
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
    return UInt64(clamping: nanoseconds)
  }

  /// Whether the types of objects are shown.
  var needsTypes: Bool {
    switch self {
    case .groups(.type, _), .leaks: true
    case .tree(_, _, _, let showsTypes): showsTypes
    default: false
    }
  }

  private static func leaks(
    of input: Input, threshold: LeakTable.Threshold, limit: Int
  ) throws -> LeakReport {
    guard let report = LeakReport(input.profile, threshold: threshold, limit: limit) else {
      throw Failure.noTarget("no allocations were recorded in \(input.description)")
    }
    if case .age = threshold, !report.table.hasAges {
      throw Failure.noTarget(
        "ages of allocations are not known in \(input.description), as the process did not come to "
          + "list what was live; leave '--age' away")
    }
    return report
  }

  /// Makes the report.
  func report(on input: Input, _ arguments: Arguments) throws -> any ProfileReport {
    let profile = input.profile
    var column = try input.column(arguments)
    if case .groups(.type, _) = self, arguments.value("--value") == nil {
      column = try input.column(named: ValueType.allocatedSpace.name, arguments)
    }
    switch self {
    case .leaks(let threshold, let limit):
      return try Self.leaks(of: input, threshold: threshold, limit: limit)
    case .functions(let limit):
      return HotFunctionReport(profile, column: column, limit: limit)
    case .lines(let limit): return HotLineReport(profile, column: column, limit: limit)
    case .groups(let grouping, let limit):
      return GroupReport(profile, by: grouping, column: column, limit: limit)
    case .tree(let view, let limit, let roots, _):
      let report = CallTreeReport(
        profile.rooted(at: roots), view: view, column: column, limit: limit)
      switch view {
      case .callers(let pattern), .callees(let pattern):
        // What is chosen may be nothing, which was said already.
        guard report.matchCount == 0, !input.isEmptyExcerpt else { break }
        let names = Set(profile.frames.map { profile.name(of: $0) })
        let hint = Help.nearest(to: pattern.text, in: names.sorted().prefix(10_000).map { $0 })
        throw Failure.noTarget(
          "no function matches '\(pattern.text)' in \(input.description)"
            + (hint.map { "; did you mean '\($0)'?" } ?? ""))
      case .all: break
      }
      return report
    }
  }
}
