/// What people name functions, modules, threads or processes by.
///
/// A text that is part of a function's name; of a module's as `module:TEXT`; of a thread's, or all of
/// its id, as `thread:TEXT`; of a program's, or all of its process id, as `process:TEXT`. Each may be
/// a regular expression instead: `/REGEX/`, or `/REGEX/i` where case does not matter.
public struct FramePattern {
  /// What is compared.
  public enum Subject: Hashable, Sendable {
    /// The function's name as shown.
    case function
    /// The module's name, the last component of its path.
    case module
    /// The thread's name or id.
    case thread
    /// The name of a program that the process was, or its id.
    case process

    /// Whether it is frames that are compared, and not what they belong to.
    public var isOfFrames: Bool { self == .function || self == .module }
  }

  private enum Matcher {
    case literal(Substring)
    case regex(Regex<AnyRegexOutput>)
  }

  /// The pattern as it was given.
  public let text: String
  /// What is compared.
  public let subject: Subject
  private let matcher: Matcher

  /// Reads a pattern.
  ///
  /// - Parameter text: The pattern.
  /// - Throws: `PatternError` if it is none.
  public init(_ text: String) throws(PatternError) {
    self.text = text
    let prefixes: [(String, Subject)] = [
      ("module:", .module), ("thread:", .thread), ("process:", .process),
    ]
    // `thread::join` is a function.
    let prefix = prefixes.first { text.hasPrefix($0.0) && !text.hasPrefix($0.0 + ":") }
    subject = prefix?.1 ?? .function
    matcher = try Self.matcher(text.dropFirst(prefix?.0.count ?? 0))
  }

  private static func matcher(_ text: Substring) throws(PatternError) -> Matcher {
    guard !text.isEmpty else { throw .empty }
    guard text.first == "/" else { return .literal(text) }
    guard let end = text.lastIndex(of: "/"), end != text.startIndex else { throw .unterminated }
    let switches = text[text.index(after: end)...]
    guard switches.isEmpty || switches == "i" else { throw .unknownSwitch(String(switches)) }
    let source = text[text.index(after: text.startIndex)..<end]
    guard !source.isEmpty else { throw .empty }
    do {
      let regex = try Regex(String(source))
      return .regex(switches.isEmpty ? regex : regex.ignoresCase())
    } catch {
      throw .invalid("\(error)")
    }
  }

  /// Whether a name, or part of it, is what the pattern says.
  public func matches(_ name: String) -> Bool {
    switch matcher {
    case .literal(let part): name.contains(part)
    case .regex(let regex): (try? regex.firstMatch(in: name)) != nil
    }
  }

  /// Whether the pattern is for functions or modules, and this is one.
  public func matches(_ function: CallTree.Function) -> Bool {
    switch subject {
    case .function: matches(function.name)
    case .module: matches(function.module)
    case .thread, .process: false
    }
  }

  /// Whether the pattern is for threads, and this is one.
  public func matches(_ thread: Profile.Thread) -> Bool {
    subject == .thread && (matches(id: thread.tid) || matches(thread.name))
  }

  /// Whether the pattern is for processes, and this is one.
  public func matches(_ process: Profile.Process) -> Bool {
    subject == .process
      && (matches(id: process.pid) || (process.programs + [process.name]).contains(where: matches))
  }

  /// Whether an id is all that the pattern says.
  private func matches(id: UInt32) -> Bool {
    switch matcher {
    case .literal(let text): text == String(id)
    case .regex(let regex): (try? regex.wholeMatch(in: String(id))) != nil
    }
  }

  /// For each thread of a profile whether it, or its process, matches.
  func threadMarks(in profile: Profile) -> [Bool] {
    guard subject == .process else { return profile.threads.map { matches($0) } }
    let pids = Set(profile.processes.filter { matches($0) }.map(\.pid))
    return profile.threads.map { $0.processID.map(pids.contains) ?? false }
  }

  /// For each frame of a profile whether it matches.
  func marks(in profile: Profile) -> [Bool] {
    guard subject.isOfFrames else { return profile.frames.map { _ in false } }
    let isCode = profile.modules.map(\.isCode)
    // Frames are many more than functions.
    var known: [CallTree.Function: Bool] = [:]
    return profile.frames.map { frame in
      if let module = frame.module, !isCode[module] { return false }
      let function = profile.function(of: frame)
      if let isMatch = known[function] { return isMatch }
      let isMatch = matches(function)
      known[function] = isMatch
      return isMatch
    }
  }
}

/// Why a text is no pattern.
public enum PatternError: Error, Equatable, Sendable {
  /// Nothing to look for, which would be everywhere.
  case empty
  /// Begins with a slash as a regular expression, but has none at its end.
  case unterminated
  /// Something other than `i` stands behind the last slash.
  case unknownSwitch(String)
  /// No regular expression; what is wrong with it, as a clause.
  case invalid(String)
}
