internal import WickProfile

/// Frames by the bytes of their names, so that a name becomes a string once.
struct FoldedNames {
  private var names = RangeTable()
  /// The frame of each name.
  private var frames: [Int] = []

  /// Returns the frame of the name at `range`, added to the profile on first use.
  mutating func frame(
    of bytes: RawSpan, _ range: Range<Int>, in profile: inout Profile
  ) -> Int {
    let place = names.place(of: bytes, range)
    if let id = place.id { return frames[id] }
    _ = names.add(range, at: place)
    frames.append(profile.intern(Frame(function: bytes.string(range))))
    return frames[frames.count - 1]
  }
}
