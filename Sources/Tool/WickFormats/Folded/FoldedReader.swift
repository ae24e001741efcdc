public import WickProfile

/// Reads folded stacks part by part, so that a large text need not be in memory.
///
/// Give it what has come so far with `read`, keep what it has not taken in front of the next part,
/// and end with `finish`. `Folded.read` says what becomes of the lines.
public struct FoldedReader {
  /// A frame of the line before.
  private struct Step {
    /// Where its name ends, from the stack's start.
    var end: Int
    var node: Int
  }

  private var profile = Profile(valueTypes: [.samples])
  private var names = FoldedNames()
  /// Whether each line ends in two numbers, before and after; nil before the first line that counts.
  private var isDifferential: Bool?
  /// The stack of the line before, in the part that is being read.
  private var previous = 0..<0
  private var steps: [Step] = []
  private var rows: [Profile.Sample] = []
  private var weights: [Int64] = []
  private var weightsBefore: [Int64] = []
  private var lineCount = 0
  private var ignored: (count: Int, firstLine: Int?) = (0, nil)
  private var comments = 0
  private var cutWeights = 0

  /// Creates a reader that has read nothing.
  ///
  /// - Parameter byteCount: What the text will have in all, as far as that is known.
  public init(byteCount: Int = 0) {
    // Long names, of which lines share many, leave more bytes a node; what is not used is no more
    // than addresses.
    profile.reserveStacks(min(byteCount, 1 << 34) / 32)
  }

  /// Reads lines.
  ///
  /// - Parameters:
  ///   - bytes: What has come and was not read yet.
  ///   - isLast: Whether the text ends here; if not, a line without its newline is left.
  /// - Returns: How many bytes were read.
  public mutating func read(_ bytes: RawSpan, isLast: Bool) -> Int {
    previous = 0..<0
    steps.removeAll(keepingCapacity: true)
    var offset = 0
    while offset < bytes.byteCount {
      // What a line has in common with one before cannot hold its end.
      let shared = bytes.commonPrefix(previous, offset..<bytes.byteCount)
      let end = bytes.endOfLine(from: offset + shared)
      guard end < bytes.byteCount || isLast else { break }
      lineCount += 1
      read(bytes.trimmingEnd(offset..<end), of: bytes, shared: shared)
      offset = min(end + 1, bytes.byteCount)
    }
    return offset
  }

  /// Reads a line that has `shared` bytes in common with `previous`.
  private mutating func read(_ line: Range<Int>, of bytes: RawSpan, shared: Int) {
    if line.isEmpty { return }
    if isComment(line, of: bytes) {
      comments += 1
    } else if let sample = FoldedLine(bytes, line) {
      add(sample, of: bytes, shared: shared)
    } else {
      ignored.count += 1
      ignored.firstLine = ignored.firstLine ?? lineCount
    }
  }

  /// Returns the profile with its rows and what there is to say about it.
  ///
  /// - Throws: `FoldedError` if no line is a stack with a weight.
  public consuming func finish() throws(FoldedError) -> Profile {
    guard !rows.isEmpty else {
      throw .noStacks(ignoredLines: ignored.count, firstLine: ignored.firstLine)
    }
    profile.forgetLookup()
    if isDifferential == true {
      profile.addColumn(ValueType(name: "before", unit: "count"))
      profile.add(rows, columns: [weights, weightsBefore])
    } else {
      profile.add(rows, columns: [weights])
    }
    if let line = ignored.firstLine {
      profile.origin.warnings.append(
        "Ignored \(ignored.count) lines that do not end in a weight, the first is line \(line).")
    }
    if comments > 0 {
      profile.origin.warnings.append("Skipped \(comments) comment lines.")
    }
    if cutWeights > 0 {
      profile.origin.warnings.append("Dropped the fractions of \(cutWeights) weights.")
    }
    return profile
  }

  private mutating func add(_ line: FoldedLine, of bytes: RawSpan, shared: Int) {
    var line = line
    cutWeights += line.isCutToInteger ? 1 : 0
    let weight = line.weight
    if isDifferential != false {
      let before = FoldedLine(bytes, line.stack)
      if before == nil, isDifferential == true { mergeBefore() }
      isDifferential = before != nil
      if let before {
        cutWeights += before.isCutToInteger ? 1 : 0
        weightsBefore.append(before.weight)
        line = before
      }
    }
    weights.append(weight)
    rows.append(Profile.Sample(stack: node(of: bytes, line.stack, shared: shared)))
  }

  /// Makes what was taken for weights before a part of the names that they stand behind, as not all
  /// lines have two numbers.
  private mutating func mergeBefore() {
    for (row, weight) in weightsBefore.enumerated() {
      let stack = rows[row].stack
      var name = "\(weight)"
      if stack != 0 {
        name = "\(profile.frames[Int(profile.stacks.frames[stack])].function) \(name)"
      }
      let parent = Int(profile.stacks.parents[stack])
      let frame = profile.intern(Frame(function: name))
      rows[row].stack = profile.stack(parent: parent, frame: frame)
    }
    weightsBefore = []
    steps.removeAll(keepingCapacity: true)
    previous = 0..<0
  }

  private mutating func node(of bytes: RawSpan, _ range: Range<Int>, shared: Int) -> Int {
    var stack = range
    // Empty frames at the end are none.
    while !stack.isEmpty, bytes.byte(at: stack.upperBound - 1) == UInt8(ascii: ";") {
      stack = stack.lowerBound..<stack.upperBound - 1
    }
    let common = min(shared, previous.count, stack.count)
    // A step is shared if its name and what follows it (a semicolon or the end) are.
    let ends =
      common == stack.count || bytes.byte(at: stack.lowerBound + common) == UInt8(ascii: ";")
    let sharedEnd = ends ? common : common - 1
    while let last = steps.last, last.end > sharedEnd { steps.removeLast() }
    previous = stack
    guard !stack.isEmpty else { return 0 }
    var node = steps.last?.node ?? 0
    var start = stack.lowerBound + (steps.last.map { $0.end + 1 } ?? 0)
    while start <= stack.upperBound {
      let (frame, end) = names.frame(of: bytes, from: start, limit: stack.upperBound, in: &profile)
      node = profile.stack(parent: node, frame: frame)
      steps.append(Step(end: end - stack.lowerBound, node: node))
      start = end + 1
    }
    return node
  }

  private func isComment(_ line: Range<Int>, of bytes: RawSpan) -> Bool {
    line.count >= 2 && bytes.byte(at: line.lowerBound) == UInt8(ascii: "#")
      && bytes.byte(at: line.lowerBound + 1) == 0x20
  }
}
