/// A word that is `pid/tid`, or a thread's id alone.
struct PerfScriptIDs {
  /// Where the word is.
  var range: Range<Int>
  /// Process id, 0 where the word has none.
  var pid: UInt32
  /// Thread id.
  var tid: UInt32

  /// Reads a word; nil where it is something else.
  init?(_ bytes: RawSpan, _ word: Range<Int>) {
    var slash = word.lowerBound
    while slash < word.upperBound, bytes.byte(at: slash) != UInt8(ascii: "/") { slash += 1 }
    guard let first = bytes.decimal(word.lowerBound..<slash) else { return nil }
    range = word
    (pid, tid) = (0, UInt32(clamping: first))
    guard slash < word.upperBound else { return }
    guard let second = bytes.decimal(slash + 1..<word.upperBound) else { return nil }
    (pid, tid) = (UInt32(clamping: first), UInt32(clamping: second))
  }
}
