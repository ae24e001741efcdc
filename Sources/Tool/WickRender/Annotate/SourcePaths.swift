/// Where the source of a recorded path may lie on this machine.
public struct SourcePaths: Sendable {
  /// A part of a path that is written another way here.
  public struct Substitution: Hashable, Sendable {
    /// How recorded paths begin.
    public var from: String
    /// How these begin here.
    public var to: String

    /// Creates a substitution.
    public init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  /// Folders with sources.
  public var folders: [String]
  /// Substitutions, the first that fits being used.
  public var substitutions: [Substitution]

  /// Creates a search.
  public init(folders: [String] = [], substitutions: [Substitution] = []) {
    self.folders = folders
    self.substitutions = substitutions
  }

  /// The paths to try, in order: the recorded one, then ever fewer of its last components in each
  /// folder, then the substituted one.
  ///
  /// - Parameter file: Path as recorded.
  /// - Returns: Paths, each once; those in folders do not lead out of them.
  public func candidates(for file: String) -> [String] {
    var paths = [file]
    let components = file.split(separator: "/").filter { $0 != "." }
    // What stands before the last `..` cannot be resolved without the folders of another machine.
    let usable = components.suffix(from: (components.lastIndex(of: "..") ?? -1) + 1)
    for folder in folders {
      for start in usable.indices {
        paths.append("\(folder)/\(usable[start...].joined(separator: "/"))")
      }
    }
    for substitution in substitutions where Self.begins(file, with: substitution.from) {
      paths.append(substitution.to + file.dropFirst(substitution.from.count))
      break
    }
    var seen: Set<String> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// Whether a path begins with whole components.
  private static func begins(_ path: String, with prefix: String) -> Bool {
    guard path.hasPrefix(prefix) else { return false }
    return prefix.hasSuffix("/") || path.count == prefix.count
      || path.dropFirst(prefix.count).first == "/"
  }
}
