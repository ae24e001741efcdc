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
    note("wick: \(line.split(whereSeparator: \.isNewline).joined(separator: " "))")
  }

  /// Writes lines to standard error.
  static func note(_ text: String) {
    let bytes = Array("\(harmless(text))\n".utf8)
    // Nobody is left to be told that this failed.
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Text without control characters but newlines: names come from files and may be made to steer
  /// a terminal.
  static func harmless(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control && scalar != "\n"
      result.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return result
  }
}
