import WickProfile
import WickRender

/// What `wick report` shows.
enum ReportView {
  case functions(limit: Int)
  case lines(limit: Int)
  case groups(GroupTable.Grouping, limit: Int)
  case tree(CallTreeReport.View, CallTreeReport.Limit, StackRoots)

  static let options = [
    Option(name: "--lines", letter: "l", help: "Lists source lines."),
    Option(
      name: "--by", value: "WHAT",
      help: "Lists what WHAT takes: process, thread, module or file."),
    Option(
      name: "--tree", letter: "t", help: "Shows who calls whom, from the threads' entries on."),
    Option(name: "--callers", value: "F", help: "Shows who calls F, and so on to the entries."),
    Option(name: "--callees", value: "F", help: "Shows what F calls, and so on."),
    Option(
      name: "--min-percent", value: "P", help: "Leaves calls of less than P % out of trees (0.5)."),
    Option(
      name: "--top", letter: "n", value: "N",
      help: "How many lines of a list (20), or calls of a tree (all)."),
  ]

  /// As the options say.
  init(_ arguments: Arguments) throws {
    let views = ["--lines", "--by", "--tree", "--callers", "--callees"].filter(arguments.has)
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
    let limit = CallTreeReport.Limit(hundredthsOfPercent: least ?? 50, count: count)
    switch views.first {
    case "--tree": self = .tree(.all, limit, roots)
    case "--callers":
      self = .tree(.callers(try Self.function("--callers", arguments)), limit, roots)
    case "--callees":
      self = .tree(.callees(try Self.function("--callees", arguments)), limit, [])
    default:
      guard least == nil else {
        throw arguments.usage("'--min-percent' is for '--tree', '--callers' and '--callees'")
      }
      let limit = count ?? 20
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

  /// Makes the report.
  func report(on input: Input, column: Int) throws -> any ProfileReport {
    let profile = input.profile
    switch self {
    case .functions(let limit):
      return HotFunctionReport(profile, column: column, limit: limit)
    case .lines(let limit): return HotLineReport(profile, column: column, limit: limit)
    case .groups(let grouping, let limit):
      return GroupReport(profile, by: grouping, column: column, limit: limit)
    case .tree(let view, let limit, let roots):
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
