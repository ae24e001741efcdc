/// The indented lines below a leaf's: where stacks repeat, these do to the byte.
struct PerfScriptBlock {
  /// Each line without its newline, and the hash of that.
  private(set) var lines: [(range: Range<Int>, hash: UInt64)] = []
  /// Where the first line is that is not indented.
  private(set) var end = 0
  /// All lines with their newlines; empty where something other than a blank line follows.
  private(set) var text = 0..<0
  /// The hash of `text` and the context.
  private(set) var hash: UInt64 = 0

  /// Reads the lines that begin with a space or tab.
  mutating func read(
    _ bytes: RawSpan, from start: Int, context: Int, _ hasher: TextHasher
  ) {
    lines.removeAll(keepingCapacity: true)
    hash = UInt64(truncatingIfNeeded: context)
    var offset = start
    while offset < bytes.byteCount, bytes.isIndented(at: offset) {
      let line = hasher.line(bytes, from: offset)
      lines.append((offset..<line.end, line.hash))
      hash = hasher.combined(hash, line.hash)
      offset = min(line.end + 1, bytes.byteCount)
    }
    end = offset
    text = bytes.isEndOfSample(at: offset) ? start..<offset : start..<start
  }
}
