/// Collects what the index of a module is made of.
struct SourceIndexBuilder {
  /// In place of the number of a node: there is none.
  static let noNode = UInt32.max

  var texts: TextPool
  var lines: LineRows
  /// How many ranges may still be read: damaged files may name one long list again and again.
  var rangeBudget: Int
  private let code: CodePlaces
  private var nodes: [SourceNode] = []
  /// Ranges of `nodes`, in the order of entries, so that inlined calls come after their callers.
  private var ranges: [(end: UInt32, node: UInt32)] = []
  /// Places where `ranges` begin, above their indices.
  private var starts: [UInt64] = []

  /// Creates an index of nothing.
  ///
  /// - Parameters:
  ///   - code: The executable sections.
  ///   - byteCount: Size of the debug information, which bounds that of the index.
  init(code: AddressRanges, byteCount: Int) {
    self.code = CodePlaces(code)
    let byteLimit = 1 << 24 + 4 * byteCount
    texts = TextPool(byteLimit: byteLimit)
    // Some bytes make a row, and many a function; too little or too much does no harm.
    lines = LineRows(code: self.code, capacity: byteCount / 48, byteLimit: byteLimit)
    nodes.reserveCapacity(byteCount / 256)
    ranges.reserveCapacity(byteCount / 256)
    starts.reserveCapacity(byteCount / 256)
    rangeBudget = 1 << 20 + 2 * byteCount
  }

  /// Whether one of some ranges is code of the module.
  func hasCode(in ranges: [Range<UInt64>]) -> Bool {
    ranges.contains { code.places(of: $0) != nil }
  }

  /// Adds a function or inlined call that covers ranges; its number.
  mutating func add(_ node: SourceNode, ranges added: [Range<UInt64>]) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: nodes.count)
    nodes.append(node)
    for range in added {
      guard let places = code.places(of: range) else { continue }
      starts.append(UInt64(places.lowerBound) << 32 | UInt64(ranges.count))
      ranges.append((places.upperBound, number))
    }
    return number
  }

  /// Places in ascending order with the innermost function from there on, `noNode` for none.
  private mutating func flattened() -> CodeSegments {
    starts.sort()
    var segments = CodeSegments()
    var open: [(end: UInt32, node: UInt32)] = []
    var position: UInt32 = 0
    func close(upTo limit: UInt32) {
      while position < limit, let top = open.last {
        guard top.end > position else {
          open.removeLast()
          continue
        }
        let end = min(top.end, limit)
        segments.append(position..<end, node: top.node)
        position = end
      }
      position = max(position, limit)
    }
    for start in starts {
      close(upTo: UInt32(truncatingIfNeeded: start >> 32))
      open.append(ranges[Int(start & 0xffff_ffff)])
    }
    close(upTo: .max)
    return segments
  }

  /// Makes the index.
  ///
  /// Functions come from the debug information, where that says nothing from symbols, and where
  /// these say nothing from unwind information.
  ///
  /// - Parameters:
  ///   - symbols: The module's symbols.
  ///   - functions: Its functions by unwind information.
  /// - Returns: The index.
  mutating func build(symbols: SymbolTable, functions: AddressRanges) -> SourceIndex {
    var segments = flattened()
    nameByLinkage(symbols)
    var named = CodeSegments()
    symbols.forEachName { range, text in
      guard let places = code.places(of: range) else { return }
      let number = UInt32(truncatingIfNeeded: nodes.count)
      // Not all symbols are needed where the debug information has nearly all functions.
      guard segments.hasGap(in: places) else { return }
      nodes.append(SourceNode(name: texts.id(of: text), kind: .symbol))
      named.append(places, node: number)
    }
    segments.fillGaps(with: named)
    var unnamed = CodeSegments()
    for range in functions.ranges {
      guard let places = code.places(of: range), segments.hasGap(in: places) else { continue }
      var node = SourceNode(name: TextPool.empty, kind: .unnamed)
      node.start = places.lowerBound
      let number = UInt32(truncatingIfNeeded: nodes.count)
      nodes.append(node)
      unnamed.append(places, node: number)
    }
    segments.fillGaps(with: unnamed)
    let rows = lines.flattened(texts: &texts)
    return SourceIndex(
      base: code.base, segments: segments, nodes: nodes, rows: rows, texts: texts)
  }

  /// Gives functions whose debug information has their plain name only the symbol at their start,
  /// if that is a mangled one, functions without a name any symbol, and those with a name for the
  /// inside of a library (`__libc_malloc`) the one for its users, if they have one.
  private mutating func nameByLinkage(_ symbols: SymbolTable) {
    for start in starts {
      let range = ranges[Int(start & 0xffff_ffff)]
      let node = nodes[Int(range.node)]
      let isNameless = node.name == TextPool.empty
      var underscores = texts.underscoreCount(of: node.name)
      guard isNameless || node.kind == .plainForeign || underscores > 1,
        node.caller == Self.noNode,
        let entry = symbols.entry(at: code.base &+ start >> 32),
        entry.range.lowerBound == code.base &+ start >> 32
      else { continue }
      let symbol = symbols.bytes(of: entry)
      if texts.isInternal(node.name), !symbol.starts(with: "__GI_".utf8) {
        underscores = .max
      }
      let isMangled = Self.mangledPrefixes.contains { symbol.starts(with: $0) }
      guard
        isNameless || node.kind == .plainForeign && isMangled
          || !isMangled && symbol.prefix(while: { $0 == UInt8(ascii: "_") }).count < underscores
      else { continue }
      nodes[Int(range.node)].name = texts.id(of: symbol)
      nodes[Int(range.node)].kind = .linkage
    }
  }

  private static let mangledPrefixes = ["_Z", "_R", "$s", "_$s"].map { Array($0.utf8) }
}
