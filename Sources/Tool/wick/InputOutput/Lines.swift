import Glibc

/// Standard input, line by line.
enum Lines {
  /// Reads to the end.
  ///
  /// - Parameters:
  ///   - body: Gets each line that is not empty, without the blanks around it.
  ///   - pause: Called before more is read, so that whoever writes may wait for answers.
  /// - Throws: What `body` throws; `Failure` if standard input cannot be read.
  static func read(_ body: (ArraySlice<UInt8>) throws -> Void, pause: () -> Void) throws {
    var part = [UInt8](repeating: 0, count: 1 << 16)
    var rest: [UInt8] = []
    while true {
      pause()
      let count = unsafe part.withUnsafeMutableBytes {
        unsafe Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count)
      }
      if count < 0 {
        guard errno == EINTR else {
          throw Failure.noTarget("cannot read standard input: \(Failure.reason(errno))")
        }
        continue
      }
      if count == 0 { break }
      rest += part[..<count]
      var start = 0
      while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
        try give(rest[start..<end], to: body)
        start = end + 1
      }
      rest.removeFirst(start)
    }
    try give(rest[...], to: body)
  }

  private static func give(
    _ line: ArraySlice<UInt8>, to body: (ArraySlice<UInt8>) throws -> Void
  ) throws {
    var line = line
    while let last = line.last, isBlank(last) { line.removeLast() }
    while let first = line.first, isBlank(first) { line.removeFirst() }
    if !line.isEmpty { try body(line) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
