internal import WickProfile

/// The frames of the sample that is being read, leaf first.
struct PerfScriptStack {
  /// Indices into `Profile.frames`.
  private(set) var frames: [Int] = []
  /// How many of the last frames are inlined into one that has not been read yet.
  private(set) var inlinedCount = 0
  /// What `inlinedCount` was before the last frame.
  private var previousInlinedCount = 0

  /// Whether the next address is where the thread was: all frames so far are inlined there.
  var isAtLeaf: Bool { inlinedCount == frames.count }

  mutating func removeAll() {
    frames.removeAll(keepingCapacity: true)
    (inlinedCount, previousInlinedCount) = (0, 0)
  }

  /// Adds what a line means; false for a source line without a frame above.
  mutating func add(
    _ meaning: PerfScriptLines.Meaning, _ lines: inout PerfScriptLines, in profile: inout Profile
  ) -> Bool {
    switch meaning {
    case .frame(let frame):
      previousInlinedCount = inlinedCount
      if inlinedCount > 0 {
        for index in frames.count - inlinedCount..<frames.count {
          frames[index] = lines.frame(frames[index], inlinedInto: frame, in: &profile)
        }
        inlinedCount = 0
      }
      frames.append(frame)
    case .inlined(let frame):
      frames.append(frame)
      inlinedCount += 1
    case .chain(let chain):
      frames += lines.chain(chain)
      (inlinedCount, previousInlinedCount) = (0, 0)
    case .source(let source):
      guard let last = frames.last else { return false }
      let (frame, isInlined) = lines.frame(last, at: source, in: &profile)
      frames[frames.count - 1] = frame
      if isInlined, inlinedCount == 0 { inlinedCount = previousInlinedCount + 1 }
    case .remark:
      break
    }
    return true
  }
}
