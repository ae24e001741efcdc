import Glibc

/// Standard input, line by line.
enum Lines {
  /// Reads to the end.
  ///
  /// - Parameters:
  ///   - body: Gets each line that is not empty, without the blanks around it.
  ///   - pause: Called before more is read, so that whoever writes may wait for answers.
  /// - Throws: What `body` throws; `Failure` if standard input cannot be read.
  static func read(_ body: (Span<UInt8>) throws -> Void, pause: () -> Void) throws {
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
      let used = try giveLines(of: rest.span, to: body)
      rest.removeFirst(used)
    }
    try give(rest.span, to: body)
  }

  /// Gives whole lines; returns how many bytes these are.
  private static func giveLines(
    of bytes: Span<UInt8>, to body: (Span<UInt8>) throws -> Void
  ) throws -> Int {
    var start = 0
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      try give(bytes.extracting(start..<index), to: body)
      start = index + 1
    }
    return start
  }

  private static func give(
    _ line: Span<UInt8>, to body: (Span<UInt8>) throws -> Void
  ) throws {
    var start = 0
    var end = line.count
    while end > start, isBlank(line[end - 1]) { end -= 1 }
    while start < end, isBlank(line[start]) { start += 1 }
    if start < end { try body(line.extracting(start..<end)) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
