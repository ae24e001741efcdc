internal import WickProfile

/// Reads lines into a profile; neighbors in a sorted file share most of their stacks, so each line
/// starts where it departs from the one before.
struct FoldedReader {
  /// A frame of the line before.
  private struct Step {
    /// Where its name ends, from the stack's start.
    var end: Int
    var node: Int
  }

  private(set) var profile: Profile
  /// Whether each line has to end in two numbers, before and after.
  let isDifferential: Bool
  private var names = FoldedNames()
  private var previous = 0..<0
  private var steps: [Step] = []
  private var rows: [Profile.Sample] = []
  private var weights: [Int64] = []
  private var weightsBefore: [Int64] = []
  private var ignored: (count: Int, firstOffset: Int?) = (0, nil)
  private var comments = 0
  private var cutWeights = 0

  init(isDifferential: Bool) {
    self.isDifferential = isDifferential
    profile = Profile(
      valueTypes: isDifferential
        ? [.samples, ValueType(name: "before", unit: "count")] : [.samples])
  }

  /// Whether the first line that counts ends in two numbers.
  static func beginsDifferential(_ bytes: RawSpan) -> Bool {
    var offset = 0
    while offset < bytes.byteCount {
      let end = bytes.endOfLine(from: offset)
      let line = bytes.trimmingEnd(offset..<end)
      if !isComment(bytes, line), let after = FoldedLine(bytes, line) {
        return FoldedLine(bytes, after.stack) != nil
      }
      offset = end + 1
    }
    return false
  }

  /// Reads all lines; false where one does not fit `isDifferential`.
  mutating func read(_ bytes: RawSpan) -> Bool {
    var offset = 0
    while offset < bytes.byteCount {
      let end = bytes.endOfLine(from: offset)
      let line = bytes.trimmingEnd(offset..<end)
      if Self.isComment(bytes, line) {
        comments += 1
      } else if let sample = FoldedLine(bytes, line) {
        guard add(sample, of: bytes) else { return false }
      } else if !line.isEmpty {
        ignored.count += 1
        ignored.firstOffset = ignored.firstOffset ?? offset
      }
      offset = end + 1
    }
    return true
  }

  /// Returns the profile with its rows and what there is to say about it.
  consuming func finish() throws(FoldedError) -> Profile {
    guard !rows.isEmpty else {
      throw .noStacks(ignoredLines: ignored.count, offset: ignored.firstOffset)
    }
    profile.add(rows, columns: isDifferential ? [weights, weightsBefore] : [weights])
    if let offset = ignored.firstOffset {
      profile.origin.warnings.append(
        "Ignored \(ignored.count) lines that do not end in a weight, the first at byte \(offset).")
    }
    if comments > 0 {
      profile.origin.warnings.append("Skipped \(comments) comment lines.")
    }
    if cutWeights > 0 {
      profile.origin.warnings.append("Dropped the fractions of \(cutWeights) weights.")
    }
    return profile
  }

  private mutating func add(_ line: FoldedLine, of bytes: RawSpan) -> Bool {
    var line = line
    cutWeights += line.isCutToInteger ? 1 : 0
    let weight = line.weight
    if isDifferential {
      guard let before = FoldedLine(bytes, line.stack) else { return false }
      cutWeights += before.isCutToInteger ? 1 : 0
      weightsBefore.append(before.weight)
      line = before
    }
    weights.append(weight)
    rows.append(Profile.Sample(stack: node(of: bytes, line.stack)))
    return true
  }

  private mutating func node(of bytes: RawSpan, _ range: Range<Int>) -> Int {
    var stack = range
    // Empty frames at the end are none.
    while let last = stack.last, bytes.byte(at: last) == UInt8(ascii: ";") {
      stack = stack.lowerBound..<last
    }
    let common = bytes.commonPrefix(previous, stack)
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
      var end = start
      while end < stack.upperBound, bytes.byte(at: end) != UInt8(ascii: ";") { end += 1 }
      let frame = names.frame(of: bytes, start..<end, in: &profile)
      node = profile.stack(parent: node, frame: frame)
      steps.append(Step(end: end - stack.lowerBound, node: node))
      start = end + 1
    }
    return node
  }

  private static func isComment(_ bytes: RawSpan, _ line: Range<Int>) -> Bool {
    line.count >= 2 && bytes.byte(at: line.lowerBound) == UInt8(ascii: "#")
      && bytes.byte(at: line.lowerBound + 1) == 0x20
  }
}
