public import WickProfile

/// What of a profile is annotated.
public enum AnnotationTarget: Hashable, Sendable {
  /// A source file by its recorded path, and perhaps a line of it.
  case source(file: String, line: UInt32?)
  /// A function, wherever its lines are.
  case function(CallTree.Function)

  /// Why a word names nothing.
  public enum Failure: Error, Equatable {
    /// It names several things, each of which can be named by the word given here.
    case ambiguous(candidates: [String])
    /// There is nothing like it.
    case unknown
  }

  /// Finds what a word names.
  ///
  /// The word is a path or its last components (`Server/main.swift`, `../main.swift`), with `:LINE`
  /// perhaps; or a function's name, whole, without its parameters, or its last components
  /// (`handle`), with `module!` before it perhaps.
  ///
  /// - Parameters:
  ///   - word: The word.
  ///   - profile: The profile.
  /// - Throws: `Failure`.
  public init(_ word: String, in profile: Profile) throws(Failure) {
    let files = Set(profile.frames.compactMap { SourceLine($0).file })
    if let file = try Self.file(word, among: files) {
      self = .source(file: file, line: nil)
      return
    }
    if let colon = word.lastIndex(of: ":"), let line = UInt32(word[word.index(after: colon)...]),
      line > 0, let file = try Self.file(String(word[..<colon]), among: files)
    {
      self = .source(file: file, line: line)
      return
    }
    self = .function(try Self.function(word, in: profile))
  }

  private static func file(_ word: String, among files: Set<String>) throws(Failure) -> String? {
    if word.isEmpty || files.contains(word) { return word.isEmpty ? nil : word }
    // A shell completes paths from where its user stands, which need not be where it was built.
    var path = word[...]
    while path.hasPrefix("./") || path.hasPrefix("../") {
      path = path.drop { $0 == "." }.drop { $0 == "/" }
    }
    guard !path.isEmpty else { return nil }
    let found = files.filter { $0.hasSuffix("/\(path)") || $0 == path }.sorted()
    guard found.count < 2 else { throw .ambiguous(candidates: found) }
    return found.first
  }

  private static func function(
    _ word: String, in profile: Profile
  ) throws(Failure) -> CallTree.Function {
    let functions = Set(profile.frames.map { LineTable.Place($0, in: profile).function })
    let tests: [(CallTree.Function) -> Bool] = [
      { $0.name == word || "\($0.module)!\($0.name)" == word },
      { function in
        let bare = FunctionName.bare(function.name)
        return bare == word || bare.hasSuffix(".\(word)") || bare.hasSuffix("::\(word)")
          || "\(function.module)!\(bare)" == word
      },
    ]
    for test in tests {
      let found = functions.filter(test)
      if found.count == 1, let only = found.first { return only }
      if found.count > 1 {
        throw .ambiguous(candidates: found.map { "\($0.module)!\($0.name)" }.sorted())
      }
    }
    throw .unknown
  }
}
