import Glibc

/// Standard output and standard error.
enum Console {
  /// Writes to standard output.
  static func print(_ text: String) throws {
    var output = ByteSink(descriptor: STDOUT_FILENO, name: "standard output")
    output.write(text)
    try output.finish()
  }

  /// Writes one line about a problem to standard error.
  static func error(_ line: String) {
    note("wick: \(line)")
  }

  /// Writes a line to standard error.
  static func note(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    // Nobody is left to be told that this failed.
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
