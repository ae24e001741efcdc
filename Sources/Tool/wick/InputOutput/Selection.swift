import WickProfile

/// Which stacks count: what the subcommands have in common that show profiles.
struct Selection {
  static let options = [
    Option(
      name: "--focus", value: "PATTERN", help: "Only stacks that match. Several: that match all.",
      isRepeatable: true),
    Option(
      name: "--ignore", value: "PATTERN", help: "No stacks that match. May be repeated.",
      isRepeatable: true),
    Option(
      name: "--hide", value: "PATTERN",
      help: "Gives what functions take to their callers. May be repeated.", isRepeatable: true),
  ]

  /// A paragraph for the help page.
  static let discussion = """
    PATTERN is a part of a function's name; or 'module:TEXT', of its module's; or 'thread:TEXT', of
    its thread's, or a tid; or 'process:TEXT', of its program's, or a pid. TEXT may be '/REGEX/', or
    '/REGEX/i' for any case. Percentages are of what is left, and it is said what part of the whole
    that is. If nothing is left that is said, and the output is empty; this is no error.
    """

  /// What the options ask for.
  var filter = ProfileFilter()

  /// All stacks.
  init() {}

  /// As the options say.
  init(_ arguments: Arguments) throws {
    filter.focus = try Self.patterns("--focus", arguments)
    filter.ignore = try Self.patterns("--ignore", arguments)
    filter.hide = try Self.patterns("--hide", arguments)
    if let pattern = filter.hide.first(where: { !$0.subject.isOfFrames }) {
      let plural = Self.plural(pattern)
      throw arguments.usage(
        "'--hide \(pattern.text)' hides no function; leave \(plural) out by '--ignore'")
    }
  }

  /// What a pattern is for that is for no frames.
  static func plural(_ pattern: FramePattern) -> String {
    pattern.subject == .process ? "processes" : "threads"
  }

  private static func patterns(
    _ option: String, _ arguments: Arguments
  ) throws -> [FramePattern] {
    try arguments.all(option).map { try pattern($0, of: option, arguments) }
  }

  /// The pattern that an option has.
  static func pattern(
    _ text: String, of option: String, _ arguments: Arguments
  ) throws -> FramePattern {
    do throws(PatternError) {
      return try FramePattern(text)
    } catch {
      switch error {
      case .empty: throw arguments.usage("'\(option) \(text)' says nothing to look for")
      case .unterminated:
        throw arguments.usage("'\(option) \(text)' lacks the slash at its end, as in '/a.*b/'")
      case .unknownSwitch(let switches):
        throw arguments.usage(
          "'\(option) \(text)' has '\(switches)' behind its last slash, where only 'i' may be")
      case .invalid(let reason):
        throw arguments.usage("'\(option) \(text)' is no regular expression: \(reason)")
      }
    }
  }

  /// Chooses; says on standard error what matches nothing.
  func apply(to profile: Profile, name: String) -> Profile {
    guard !filter.isEmpty else { return profile }
    let result = profile.filtered(by: filter)
    let unmatched = (result.origin.excerpt?.unmatched ?? []).map { "'\($0)'" }
    let reason = unmatched.isEmpty ? "" : "nothing matches \(unmatched.joined(separator: ", "))"
    if result.samples.isEmpty {
      let count = Summary.grouped(Int64(profile.samples.count))
      let cause = reason.isEmpty ? "" : ": \(reason)"
      Console.error("\(name): nothing is left of \(count) stacks sampled\(cause)")
    } else if !reason.isEmpty {
      Console.error("\(name): \(reason)")
    }
    return result
  }
}
