internal import WickProfile

/// Source files by the shortest ends of their paths that tell them from each other.
struct SourceNames: Sendable {
  private var names: [String: Substring] = [:]

  /// Finds names for files; each path once.
  init(_ files: some Sequence<String>) {
    var open = Set(files).map { (path: $0, components: 1) }
    while !open.isEmpty {
      var groups: [Substring: [Int]] = [:]
      for index in open.indices {
        let name = Self.end(of: open[index].path, components: open[index].components)
        groups[name, default: []].append(index)
      }
      var next: [(path: String, components: Int)] = []
      for (name, indices) in groups {
        for index in indices {
          let path = open[index].path
          // A whole path cannot be told from others by more of it.
          if indices.count == 1 || name.utf8.count == path.utf8.count {
            names[path] = name
          } else {
            next.append((path, open[index].components + 1))
          }
        }
      }
      open = next
    }
  }

  /// The name of a file; its path if it is none of those.
  subscript(file: String) -> Substring { names[file] ?? Substring(file) }

  /// A line as reports show it.
  func text(_ line: SourceLine) -> String {
    guard let file = line.file else { return "(no line)" }
    return "\(self[file]):\(line.line == 0 ? "?" : String(line.line))"
  }

  /// The last components of a path, or all of it.
  private static func end(of path: String, components: Int) -> Substring {
    var left = components
    var start = path.utf8.endIndex
    while start > path.utf8.startIndex {
      let before = path.utf8.index(before: start)
      if path.utf8[before] == UInt8(ascii: "/") {
        left -= 1
        if left == 0 { return path[start...] }
      }
      start = before
    }
    return path[...]
  }
}
