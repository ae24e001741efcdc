internal import WickProfile

/// Reads samples into a profile.
///
/// Stacks repeat, but for their leaves: the lines below the first are looked up as one text, and
/// where that is new each line is.
struct PerfScriptReader {
  private(set) var profile: Profile
  private var events: PerfScriptEvents
  private var tasks = PerfScriptTasks()
  private let hasher: TextHasher
  private var lines: PerfScriptLines
  private var stack = PerfScriptStack()
  /// The stack of the lines below the leaf's, in the context of the thread's name.
  private var callers: RangeTable<Int>
  private var block = PerfScriptBlock()
  private var meanings: [PerfScriptLines.Meaning?] = []
  private var latest = PerfScriptPath()
  /// Whether the text has blank lines between samples, so that `callers` can be found.
  private var hasBlankLines = true
  private var rows: [Profile.Sample] = []
  private var periods: [Int64] = []
  private var ignored: (count: Int, firstOffset: Int) = (0, 0)

  /// Creates a reader.
  ///
  /// - Parameters:
  ///   - bytes: The whole text.
  ///   - event: The event to count; nil for the first one.
  init(_ bytes: RawSpan, event: String?) {
    hasher = TextHasher()
    lines = PerfScriptLines(hasher)
    callers = RangeTable(hasher)
    events = PerfScriptEvents(counted: event)
    profile = Profile(valueTypes: PerfScriptEvents.valueTypes(bytes, counted: event))
  }

  /// Reads all lines.
  mutating func read(_ bytes: RawSpan) {
    var offset = 0
    while offset < bytes.byteCount {
      let end = bytes.endOfLine(from: offset)
      let line = bytes.trimmingEnd(offset..<end)
      let next = end + 1
      if line.isEmpty || bytes.byte(at: offset) == UInt8(ascii: "#") {
        offset = next
      } else if let event = PerfScriptEvent(bytes, timed: line)
        ?? PerfScriptEvent(bytes, untimed: line)
      {
        if event.isSideBand {
          offset = next
        } else if events.isCounted(bytes, event.name) {
          offset = readSample(bytes, event, from: next)
        } else {
          offset = skipSample(bytes, from: next)
        }
      } else {
        ignore(lineAt: offset)
        offset = next
      }
    }
  }

  /// Returns the profile with its rows and what there is to say about it.
  consuming func finish(_ bytes: RawSpan) throws(PerfScriptError) -> Profile {
    guard !rows.isEmpty else {
      if !events.known.isEmpty { throw .noEvent(known: events.known) }
      throw .noSamples(
        ignoredLines: ignored.count,
        firstLine: ignored.count > 0 ? bytes.lineNumber(at: ignored.firstOffset) : nil)
    }
    tasks.nameThreads(of: &profile)
    placeInTime()
    let ones = [Int64](repeating: 1, count: rows.count)
    profile.add(rows, columns: profile.valueTypes.count > 1 ? [ones, periods] : [ones])
    if ignored.count > 0 {
      let line = bytes.lineNumber(at: ignored.firstOffset)
      profile.origin.warnings.append(
        "Ignored \(ignored.count) lines that are no part of a sample, the first is line \(line).")
    }
    if let warning = events.warning { profile.origin.warnings.append(warning) }
    return profile
  }

  /// Makes times relative to the first sample's, and says what a sample stands for.
  private mutating func placeInTime() {
    let times = rows.lazy.map(\.nanoseconds).filter { $0 > 0 }
    if let first = times.min(), let last = times.max() {
      for index in rows.indices where rows[index].nanoseconds > 0 {
        rows[index].nanoseconds -= first
      }
      profile.origin.durationNanoseconds = last - first
    }
    if let period = periods.first, profile.valueTypes[1].unit == "nanoseconds",
      periods.allSatisfy({ $0 == period })
    {
      profile.origin.periodNanoseconds = UInt32(exactly: period) ?? 0
    }
  }

  /// Reads the lines of a sample; returns where the first line is that is none of them.
  private mutating func readSample(
    _ bytes: RawSpan, _ event: PerfScriptEvent, from start: Int
  ) -> Int {
    var offset = start
    let task = tasks.task(of: bytes, event, in: &profile)
    stack.removeAll()
    if PerfScriptFrame(bytes, event.rest)?.module != nil {
      _ = understands(bytes, event.rest, hash: hasher.hash(bytes, event.rest))
    }
    // The leaf, with what is inlined there and the source lines.
    while stack.isAtLeaf || bytes.isSourceLine(at: offset) {
      guard let next = readLine(bytes, at: offset) else {
        addRow(event, task, stack: callStack(of: 0..<stack.frames.count, below: task.root))
        return offset
      }
      offset = next
    }
    let leaf = 0..<stack.frames.count
    let callers = readCallers(bytes, from: offset, root: task.root)
    addRow(event, task, stack: callStack(of: leaf, below: callers.stack))
    return callers.end
  }

  /// Reads the rest of a sample; returns its stack, and where the first line is that is no part.
  private mutating func readCallers(
    _ bytes: RawSpan, from start: Int, root: Int
  ) -> (stack: Int, end: Int) {
    let leafCount = stack.frames.count
    let ignoredCount = ignored.count
    var text = start..<start
    var offset = start
    if hasBlankLines {
      block.read(bytes, from: start, context: root, hasher)
      text = block.text
      if let known = callers.value(of: bytes, text, hash: block.hash, context: root) {
        return (known, text.upperBound)
      }
      lines.meanings(of: bytes, block.lines, into: &meanings)
      for (line, meaning) in zip(block.lines, meanings) {
        if let meaning, stack.add(meaning, &lines, in: &profile) {
          offset = line.range.upperBound + 1
        } else if let next = readLine(bytes, line.range, hash: line.hash) {
          offset = next
        } else {
          break
        }
      }
    }
    while let next = readLine(bytes, at: offset) { offset = next }
    let known = latest.stack(of: stack.frames[leafCount...], below: root, in: &profile)
    if hasBlankLines, offset < block.end {
      hasBlankLines = false
    } else if !text.isEmpty, offset == text.upperBound, ignored.count == ignoredCount {
      callers.add(known, for: text, hash: block.hash, context: root)
    }
    return (known, offset)
  }

  /// Reads the line at an offset; returns where the next one is, nil where the sample has ended.
  private mutating func readLine(_ bytes: RawSpan, at offset: Int) -> Int? {
    guard offset < bytes.byteCount else { return nil }
    let (end, hash) = hasher.line(bytes, from: offset)
    return readLine(bytes, offset..<end, hash: hash)
  }

  private mutating func readLine(
    _ bytes: RawSpan, _ line: Range<Int>, hash: UInt64
  ) -> Int? {
    if understands(bytes, line, hash: hash) { return line.upperBound + 1 }
    let text = bytes.trimmingEnd(line)
    if text.isEmpty || PerfScriptEvent(bytes, timed: text) != nil { return nil }
    if bytes.byte(at: text.lowerBound) != UInt8(ascii: "#") { ignore(lineAt: text.lowerBound) }
    return line.upperBound + 1
  }

  /// Adds what a line means to the stack; false where it is not understood.
  private mutating func understands(
    _ bytes: RawSpan, _ line: Range<Int>, hash: UInt64
  ) -> Bool {
    guard
      let meaning = lines.meaning(
        of: bytes, line, hash: hash, isLeaf: stack.isAtLeaf, in: &profile)
    else { return false }
    return stack.add(meaning, &lines, in: &profile)
  }

  /// Returns where the first line is that is not of the sample.
  private func skipSample(_ bytes: RawSpan, from start: Int) -> Int {
    var offset = start
    while offset < bytes.byteCount {
      let end = bytes.endOfLine(from: offset)
      let line = bytes.trimmingEnd(offset..<end)
      // No event begins with a tab.
      if line.isEmpty
        || bytes.byte(at: offset) != 0x09 && PerfScriptEvent(bytes, timed: line) != nil
      {
        return offset
      }
      offset = end + 1
    }
    return offset
  }

  /// The stack of the frames of `stack` in a range below a stack.
  private mutating func callStack(of frames: Range<Int>, below root: Int) -> Int {
    var node = root
    for index in frames.reversed() {
      node = profile.stack(parent: node, frame: stack.frames[index])
    }
    return node
  }

  private mutating func addRow(
    _ event: PerfScriptEvent, _ task: PerfScriptTasks.Task, stack: Int
  ) {
    rows.append(
      Profile.Sample(stack: stack, thread: task.thread, nanoseconds: event.nanoseconds ?? 0))
    if profile.valueTypes.count > 1 { periods.append(event.period ?? 1) }
  }

  private mutating func ignore(lineAt offset: Int) {
    if ignored.count == 0 { ignored.firstOffset = offset }
    ignored.count += 1
  }
}
