/// What the command line and the environment ask for; the command line wins.
struct Options {
  var port: UInt16 = 8080
  var workers = 4
  /// A file, `:memory:`, or nothing for a file of its own that is removed at the end.
  var database: String?
  var showsHelp = false

  static let usage = """
    Usage: WickBlogServer [--port N] [--workers N] [--database FILE]

      --port N         port on 127.0.0.1; 0 picks a free one (default 8080, or BLOG_PORT)
      --workers N      threads, each with its own event loop (default 4, or BLOG_WORKERS)
      --database FILE  SQLite file, filled if it is new, or :memory: (default: a temporary
                       file, or BLOG_DATABASE)

    The address is printed on standard error as soon as the server answers. SIGINT and SIGTERM
    stop it.
    """

  init(arguments: some Sequence<String>, environment: [String: String]) throws(OptionsError) {
    for (flag, variable) in [
      ("--port", "BLOG_PORT"), ("--workers", "BLOG_WORKERS"), ("--database", "BLOG_DATABASE"),
    ] {
      if let value = environment[variable] {
        try set(flag, to: value)
      }
    }
    var iterator = arguments.makeIterator()
    while let flag = iterator.next() {
      if flag == "--help" || flag == "-h" {
        showsHelp = true
      } else if let value = iterator.next() {
        try set(flag, to: value)
      } else {
        throw .unknown(flag)
      }
    }
  }

  private mutating func set(_ flag: String, to value: String) throws(OptionsError) {
    switch flag {
    case "--port":
      guard let port = UInt16(value) else { throw .invalid(flag, value) }
      self.port = port
    case "--workers":
      guard let workers = Int(value), 1...64 ~= workers else { throw .invalid(flag, value) }
      self.workers = workers
    case "--database":
      guard !value.isEmpty else { throw .invalid(flag, value) }
      database = value
    default:
      throw .unknown(flag)
    }
  }
}

/// A command line that cannot be followed.
enum OptionsError: Error, CustomStringConvertible {
  case unknown(String)
  case invalid(String, String)

  var description: String {
    switch self {
    case .unknown(let flag): "unknown option or missing value: \(flag)"
    case .invalid(let flag, let value): "\(flag) cannot be '\(value)'"
    }
  }
}
