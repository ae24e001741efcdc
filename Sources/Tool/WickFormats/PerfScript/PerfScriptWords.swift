/// The words of a line one by one, and the last three before.
struct PerfScriptWords {
  private var rest: Range<Int>
  /// The word that `next` returned last; empty before that.
  private(set) var current: Range<Int>
  /// The words before `current`, newest first; empty where there are none.
  private(set) var before: (Range<Int>, Range<Int>, Range<Int>)

  init(_ line: Range<Int>) {
    rest = line
    current = line.lowerBound..<line.lowerBound
    before = (current, current, current)
  }

  /// Goes on to the next word; nil, and no change, at the end.
  mutating func next(_ bytes: RawSpan) -> Range<Int>? {
    let text = bytes.trimmingStart(rest)
    guard !text.isEmpty else { return nil }
    var end = text.lowerBound
    while end < text.upperBound, !bytes.byte(at: end).isSpace { end += 1 }
    before = (current, before.0, before.1)
    current = text.lowerBound..<end
    rest = end..<text.upperBound
    return current
  }

  /// Drops the newest word of `before`.
  mutating func forgetNewest() {
    let start = before.2.lowerBound
    before = (before.1, before.2, start..<start)
  }

  /// The ids before `current`, with `[cpu]` or `[cpu] flags` between.
  func idsBefore(_ bytes: RawSpan) -> PerfScriptIDs? {
    if let ids = PerfScriptIDs(bytes, before.0) { return ids }
    if Self.isCPU(bytes, before.0) { return PerfScriptIDs(bytes, before.1) }
    return Self.isCPU(bytes, before.1) ? PerfScriptIDs(bytes, before.2) : nil
  }

  /// Whether a word is a CPU's number in brackets.
  static func isCPU(_ bytes: RawSpan, _ word: Range<Int>) -> Bool {
    guard word.count > 2, bytes.byte(at: word.lowerBound) == UInt8(ascii: "["),
      bytes.byte(at: word.upperBound - 1) == UInt8(ascii: "]")
    else { return false }
    return bytes.decimal(word.lowerBound + 1..<word.upperBound - 1) != nil
  }
}
