import WickSymbols

/// `wick cache`: what is kept of programs that were read before.
enum CacheCommand: Subcommand {
  static let name = "cache"
  static let summary = "Shows or empties what is kept of programs' debug information."
  static let synopsis = "[clear]"
  static let wordLimit: Int? = 1
  static let example = "wick cache clear"
  static let discussion = """
    Debug information is read once for each build of a program and then kept, so that the next
    report need not read it again. Without a word this shows where and how much; 'clear' removes it.
    What is not used for long goes by itself when all is larger than 1 GiB.
    """
  static let options: [Option] = []

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard ["clear", nil].contains(arguments.words.first) else {
      throw arguments.usage("'\(arguments.words[0])' is unknown here; there is only 'clear'")
    }
    guard let cache = SymbolCache.ofUser() else {
      throw Failure.noTarget("there is no cache: neither XDG_CACHE_HOME nor HOME is set")
    }
    let (fileCount, byteCount) = cache.contents
    if arguments.words.isEmpty {
      try Console.print("\(cache.folder): \(description(fileCount, byteCount))\n")
    } else {
      let removed = cache.clear()
      guard removed == fileCount else {
        throw Failure.failed(
          "\(fileCount - removed) of \(fileCount) files in \(cache.folder) could not be removed")
      }
      try Console.print("\(cache.folder): removed \(description(fileCount, byteCount))\n")
    }
    return 0
  }

  private static func description(_ fileCount: Int, _ byteCount: Int) -> String {
    let tenths = (byteCount * 10 + 500_000) / 1_000_000
    let noun = fileCount == 1 ? "program" : "programs"
    return "\(fileCount) \(noun), \(tenths / 10).\(tenths % 10) MB"
  }
}
