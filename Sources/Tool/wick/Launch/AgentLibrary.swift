import Glibc

/// Where `libwick.so` is.
enum AgentLibrary {
  /// Finds the library: `WICK_LIBRARY`, or a place relative to this very program.
  static func find() throws -> String {
    let path = try locate()
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
    let places = [
      "libwick.so", "Wick_CWickAgent.resources/libwick.so", "../lib/wick/libwick.so",
      "../libexec/wick/libwick.so",
    ]
    for place in places where unsafe access("\(own)/\(place)", R_OK) == 0 {
      return "\(own)/\(place)"
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
