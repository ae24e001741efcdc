/// What a module's addresses are in its source: functions, calls inlined into them, and lines.
///
/// Immutable and flat, so that it is kept in a file as it is:
///
/// ```
///  header │ segment starts │ segment nodes │ nodes │ row places │ row files │ row lines │
///         │ text ends │ text bytes
/// ```
///
/// All words have 32 bits. A lookup is a binary search among the segment starts, one among the row
/// places, and the way from the innermost inlined call to the function around it. Places are
/// distances from `base`; nodes, files and texts are numbers.
struct SourceIndex: Sendable {
  /// Words of the header: what, version, base (2), and the counts of segments, nodes, rows, texts
  /// and text bytes.
  private static let headerCount = 9
  private static let magic: UInt32 = 0x7864_6977
  /// Changes with the layout and with what is found in files.
  static let version: UInt32 = 3
  private static let nodeWordCount = 5

  private let words: IndexWords
  /// The first address of code.
  let base: UInt64
  private let segmentCount: Int
  /// Functions and inlined calls.
  let nodeCount: Int
  /// Rows of lines.
  let rowCount: Int
  /// Texts are numbered below this.
  let textCount: Int
  // Where the parts begin, in words.
  private let segments: Int
  private let segmentNodes: Int
  private let nodes: Int
  private let rows: Int
  private let rowFiles: Int
  private let rowLines: Int
  private let textEnds: Int
  private let textBytes: Int

  /// Puts an index together.
  init(
    base: UInt64, segments: CodeSegments, nodes: [SourceNode], rows: [LineRows.Row],
    texts: TextPool
  ) {
    var header = [Self.magic, Self.version]
    header += [UInt32(truncatingIfNeeded: base), UInt32(truncatingIfNeeded: base >> 32)]
    header += [
      segments.starts.count, nodes.count, rows.count, texts.ends.count, texts.bytes.count,
    ].map { UInt32(truncatingIfNeeded: $0) }
    var nodeWords: [UInt32] = []
    nodeWords.reserveCapacity(nodes.count * Self.nodeWordCount)
    for node in nodes {
      nodeWords.append(node.name)
      nodeWords.append(node.kind.rawValue)
      nodeWords.append(node.caller)
      nodeWords.append(node.callFile)
      nodeWords.append(node.callLine)
    }
    var text = [UInt32](repeating: 0, count: (texts.bytes.count + 3) / 4)
    unsafe text.withUnsafeMutableBytes { unsafe $0.copyBytes(from: texts.bytes) }
    let words = IndexWords(parts: [
      header, segments.starts, segments.nodes, nodeWords, rows.map(\.place), rows.map(\.file),
      rows.map(\.line), texts.ends, text,
    ])
    self.init(words, at: 0)
  }

  /// An index of nothing.
  init() {
    self.init(
      base: 0, segments: CodeSegments(), nodes: [], rows: [], texts: TextPool(byteLimit: 0))
  }

  /// Reads an index that was kept; nil if it is none or not of this version.
  init?(kept words: IndexWords, at start: Int) {
    guard words[start] == Self.magic, words[start + 1] == Self.version else { return nil }
    self.init(words, at: start)
    guard textBytes + (Int(words[start + 8]) + 3) / 4 == words.count else { return nil }
  }

  private init(_ words: IndexWords, at start: Int) {
    self.words = words
    base = UInt64(words[start + 2]) | UInt64(words[start + 3]) << 32
    segmentCount = Int(words[start + 4])
    nodeCount = Int(words[start + 5])
    rowCount = Int(words[start + 6])
    textCount = Int(words[start + 7])
    segments = start + Self.headerCount
    segmentNodes = segments + segmentCount
    nodes = segmentNodes + segmentCount
    rows = nodes + nodeCount * Self.nodeWordCount
    rowFiles = rows + rowCount
    rowLines = rowFiles + rowCount
    textEnds = rowLines + rowCount
    textBytes = textEnds + textCount
  }

  /// All words, to be kept.
  var content: IndexWords { words }

  /// Whether there are lines.
  var hasLines: Bool { rowCount > 0 }

  /// A line of a source file; no file, or line 0, where they are not known.
  struct Line: Hashable {
    /// Number of a text.
    var file = TextPool.empty
    var line: UInt32 = 0
  }

  /// The innermost function at an address, as a number; nil where there is none.
  func node(at address: UInt64) -> UInt32? {
    guard let place = UInt32(exactly: address &- base),
      let index = words.last(notAbove: place, from: segments, count: segmentCount)
    else { return nil }
    let node = words[segmentNodes + index]
    return Int(node) < nodeCount ? node : nil
  }

  /// The line of the instruction at an address.
  func line(at address: UInt64) -> Line {
    guard let place = UInt32(exactly: address &- base),
      let index = words.last(notAbove: place, from: rows, count: rowCount)
    else { return Line() }
    return Line(file: words[rowFiles + index], line: words[rowLines + index])
  }

  /// A function or inlined call.
  func node(_ number: UInt32) -> SourceNode {
    let start = nodes + Int(number) * Self.nodeWordCount
    var node = SourceNode(
      name: words[start], kind: SourceNode.Kind(rawValue: words[start + 1]) ?? .symbol)
    // Callers come before what is inlined into them, so chains end.
    let caller = words[start + 2]
    if caller < number { node.caller = caller }
    node.callFile = words[start + 3]
    node.callLine = words[start + 4]
    return node
  }

  /// A text; empty for a number that is none.
  @_lifetime(borrow self)
  func text(_ number: UInt32) -> RawSpan {
    guard number > 0, Int(number) < textCount else { return RawSpan() }
    let start = textBytes * 4 + Int(words[textEnds + Int(number) - 1])
    let end = textBytes * 4 + Int(words[textEnds + Int(number)])
    let bytes = words.bytes(start..<max(start, end))
    return unsafe _overrideLifetime(bytes, borrowing: self)
  }

  /// A text, repaired where it is not UTF-8.
  func string(_ number: UInt32) -> String {
    unsafe text(number).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
