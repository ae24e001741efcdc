internal import WickProfile

/// What the lines below an event mean, by their bytes, so that a line is split once.
struct PerfScriptLines {
  /// The meaning of a line.
  enum Meaning {
    /// A frame of the profile.
    case frame(Int)
    /// A frame that is inlined into that of the next line.
    case inlined(Int)
    /// Several frames, leaf first, by their index: see `chain`.
    case chain(Int)
    /// The source line of the frame above, by its index.
    case source(Int)
    /// Nothing to be shown.
    case remark
  }

  private var meanings: RangeTable<Meaning>
  private var chains: [[Int]] = []
  private var sources: [(line: SourceLine, isInlined: Bool)] = []
  private var modules = RangeTable<Int>()
  /// Pairs of a frame and what is known of it besides, as a tree of depth two.
  private var pairs = StackTree()
  /// The frame of each pair; −1 where it was not made yet.
  private var pairFrames: [Int] = [-1]

  init(_ hasher: TextHasher) { meanings = RangeTable(hasher) }

  /// Looks a line up.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - line: The line without its newline.
  ///   - hash: Its hash.
  ///   - isLeaf: Whether its address is where the thread was, rather than where a call returns.
  ///   - profile: Receives new frames.
  /// - Returns: What the line means; nil for an event, and for what is not understood.
  mutating func meaning(
    of bytes: RawSpan, _ line: Range<Int>, hash: UInt64, isLeaf: Bool, in profile: inout Profile
  ) -> Meaning? {
    let context = isLeaf ? 1 : 0
    let hash = hash &+ UInt64(context)
    if let known = meanings.value(of: bytes, line, hash: hash, context: context) { return known }
    let text = bytes.trimmingEnd(line)
    guard PerfScriptEvent(bytes, timed: text) == nil else { return nil }
    let meaning: Meaning
    if let frame = PerfScriptFrame(bytes, text) {
      meaning = add(frame, of: bytes, isLeaf: isLeaf, to: &profile)
    } else if let source = PerfScriptSource(bytes, text) {
      let line = SourceLine(file: source.file.map { bytes.string($0) }, line: source.line)
      sources.append((line, source.isInlined))
      meaning = .source(sources.count - 1)
    } else {
      return nil
    }
    meanings.add(meaning, for: line, hash: hash, context: context)
    return meaning
  }

  /// Looks many lines up that are not at the leaf; nil for those that may have to be read.
  func meanings(
    of bytes: RawSpan, _ lines: [(range: Range<Int>, hash: UInt64)],
    into meanings: inout [Meaning?]
  ) {
    self.meanings.values(of: bytes, lines, into: &meanings)
  }

  /// The frames of a chain, leaf first.
  func chain(_ index: Int) -> [Int] { chains[index] }

  /// Returns a frame with its source line, and whether it is inlined.
  mutating func frame(
    _ frame: Int, at source: Int, in profile: inout Profile
  ) -> (frame: Int, isInlined: Bool) {
    let (line, isInlined) = sources[source]
    let frame = self.frame(frame, with: 2 * source, in: &profile) { frame in
      frame.file = line.file
      frame.line = line.line
      frame.isInlined = frame.isInlined || isInlined
    }
    return (frame, isInlined)
  }

  /// Returns an inlined frame with the module of the frame that it is inlined into.
  mutating func frame(_ frame: Int, inlinedInto outer: Int, in profile: inout Profile) -> Int {
    // perf may leave out the function that one is inlined into: then another address follows.
    guard let module = profile.frames[outer].module,
      profile.frames[outer].address == profile.frames[frame].address
    else { return frame }
    return self.frame(frame, with: 2 * module + 1, in: &profile) { frame in
      frame.module = frame.module ?? module
    }
  }

  private mutating func frame(
    _ frame: Int, with fact: Int, in profile: inout Profile, change: (inout Frame) -> Void
  ) -> Int {
    let pair = pairs.node(parent: pairs.node(parent: 0, frame: frame), frame: fact)
    while pairFrames.count < pairs.count { pairFrames.append(-1) }
    if pairFrames[pair] < 0 {
      var changed = profile.frames[frame]
      change(&changed)
      pairFrames[pair] = profile.intern(changed)
    }
    return pairFrames[pair]
  }

  private mutating func add(
    _ line: PerfScriptFrame, of bytes: RawSpan, isLeaf: Bool, to profile: inout Profile
  ) -> Meaning {
    guard !line.isRemark(bytes) else { return .remark }
    var frame = Frame(
      kind: isLeaf ? .instruction : .returnAddress, address: line.address,
      isInlined: line.isInlined)
    frame.module = line.module.map { module(of: bytes, $0, in: &profile) }
    guard !line.symbol.isEmpty else {
      let name = frame.module.map { profile.modules[$0].name } ?? "unknown"
      frame.function = name.hasPrefix("[") ? String(name) : "[\(name)]"
      return line.isInlined ? .inlined(profile.intern(frame)) : .frame(profile.intern(frame))
    }
    var chain: [Int] = []
    for (index, function) in line.functions(bytes).enumerated() {
      frame.function = bytes.string(function)
      frame.isInlined = line.isInlined || index > 0
      chain.append(profile.intern(frame))
    }
    chain.reverse()
    if chain.count == 1 { return line.isInlined ? .inlined(chain[0]) : .frame(chain[0]) }
    chains.append(chain)
    return .chain(chains.count - 1)
  }

  private mutating func module(
    of bytes: RawSpan, _ path: Range<Int>, in profile: inout Profile
  ) -> Int {
    let hash = modules.hasher.hash(bytes, path)
    if let known = modules.value(of: bytes, path, hash: hash) { return known }
    modules.add(profile.modules.count, for: path, hash: hash)
    profile.modules.append(
      Module(path: bytes.string(path), buildID: [], loadBias: 0, extent: 0..<0))
    return profile.modules.count - 1
  }
}
