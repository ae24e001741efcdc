internal import WickProfile

/// Frames by the bytes of their names, so that a name becomes a string once.
struct FoldedNames {
  private var frames = RangeTable<Int>()

  /// Returns the frame of the name at `range`, added to the profile on first use.
  mutating func frame(
    of bytes: RawSpan, _ range: Range<Int>, in profile: inout Profile
  ) -> Int {
    let hash = frames.hasher.hash(bytes, range)
    if let known = frames.value(of: bytes, range, hash: hash) { return known }
    let frame = profile.intern(Frame(function: bytes.string(range)))
    frames.add(frame, for: range, hash: hash)
    return frame
  }
}
