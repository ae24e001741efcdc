import Glibc

/// Where the libraries are that bring the agent into a process.
enum AgentLibrary: String {
  /// For all ways in.
  case agent = "libwick.so"
  /// Preloaded, it stands before malloc from a program's first instruction on. It lies beside the other.
  case interposing = "libwick-malloc.so"

  /// Finds a library: where `WICK_LIBRARY` names `libwick.so`, or relative to this very program.
  static func find(_ library: AgentLibrary = .agent) throws -> String {
    var path = try locate()
    if library != .agent {
      path = "\(OutputFile.folder(of: path))/\(library.rawValue)"
      guard unsafe access(path, R_OK) == 0 else {
        throw Failure.noTarget(
          "there is no \(path): \(library.rawValue) must lie beside libwick.so; build the whole "
            + "package ('swift build')")
      }
    }
    // ld.so(8): these separate the names in LD_PRELOAD or begin a token.
    guard !path.contains(where: { " :$\t\n".contains($0) }) else {
      throw Failure.noTarget(
        "the system cannot preload \(path): its path has a space, ':' or '$'; copy the library "
          + "elsewhere and name it in WICK_LIBRARY")
    }
    return path
  }

  private static func locate() throws -> String {
    if let named = unsafe getenv("WICK_LIBRARY").map({ unsafe String(cString: $0) }) {
      guard unsafe access(named, R_OK) == 0 else {
        throw Failure.noTarget("cannot read \(named), which WICK_LIBRARY names")
      }
      return Folder.absolute(named)
    }
    let own = OutputFile.folder(of: ownPath())
    for place in ["", "Wick_CWickAgent.resources/", "../lib/wick/", "../libexec/wick/"] {
      let path = "\(own)/\(place)\(AgentLibrary.agent.rawValue)"
      if unsafe access(path, R_OK) == 0 { return path }
    }
    throw Failure.noTarget(
      "libwick.so is not beside this program; build the whole package ('swift build'), or name the "
        + "library in WICK_LIBRARY")
  }

  private static func ownPath() -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    return String(
      decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
