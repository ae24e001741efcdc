internal import WickProfile

/// Frames by the bytes of their names, so that a name becomes a string once.
///
/// An open hash table that keeps the names: the input is gone when the next part of it comes.
struct FoldedNames {
  private struct Entry {
    /// The name's place in `texts`.
    var start: Int
    var byteCount: Int
    var frame: Int
  }

  private let hasher = TextHasher()
  private var texts: [UInt8] = []
  private var entries: [Entry] = []
  private var hashes: [UInt64] = []
  /// Index into `entries` plus 1, 0 where free, below the upper half of the name's hash.
  ///
  /// The count is a power of two, at least twice the number of entries.
  private var slots = [UInt64](repeating: 0, count: 1024)

  /// Finds the frame of the name that begins at `start` and ends with a semicolon or at `limit`.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - start: Where the name begins.
  ///   - limit: Where the stack ends.
  ///   - profile: Receives the frame on first use.
  /// - Returns: Index of the frame, and where the name ends.
  mutating func frame(
    of bytes: RawSpan, from start: Int, limit: Int, in profile: inout Profile
  ) -> (frame: Int, end: Int) {
    let (end, hash) = hasher.name(bytes, from: start, limit: limit)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == hash >> 32 {
        let entry = entries[Int(slots[slot] & 0xffff_ffff) - 1]
        if entry.byteCount == end - start, isText(entry.start, bytes, start..<end) {
          return (entry.frame, end)
        }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    let frame = profile.intern(Frame(function: bytes.string(start..<end)))
    entries.append(Entry(start: texts.count, byteCount: end - start, frame: frame))
    hashes.append(hash)
    for offset in start..<end { texts.append(bytes.byte(at: offset)) }
    fill(entries.count - 1)
    if 2 * entries.count >= slots.count {
      slots = [UInt64](repeating: 0, count: 2 * slots.count)
      for index in entries.indices { fill(index) }
    }
    return (frame, end)
  }

  private func isText(_ place: Int, _ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    let known = unsafe texts.span.bytes
    var offset = 0
    while offset + 8 <= range.count {
      guard known.word(at: place + offset) == bytes.word(at: range.lowerBound + offset) else {
        return false
      }
      offset += 8
    }
    while offset < range.count {
      guard known.byte(at: place + offset) == bytes.byte(at: range.lowerBound + offset) else {
        return false
      }
      offset += 1
    }
    return true
  }

  private mutating func fill(_ index: Int) {
    let hash = hashes[index]
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(index + 1)
  }
}
