internal import WickProfile

/// Frames by the bytes of their names, so that a name becomes a string once.
///
/// An open hash table whose keys are ranges of the input.
struct FoldedNames {
  private struct Entry {
    var name: Range<Int>
    var hash: UInt64
    var frame: Int
  }

  private var entries: [Entry] = []
  /// Index into `entries` plus 1, 0 where free; the count is a power of two, at least twice
  /// the number of entries.
  private var slots = [Int32](repeating: 0, count: 1024)
  /// Differs from run to run, so that no file can be made to collide; no result depends on it.
  private let seed = UInt64.random(in: .min ... .max) | 1

  /// Returns the frame of the name at `range`, added to the profile on first use.
  mutating func frame(
    of bytes: RawSpan, _ range: Range<Int>, in profile: inout Profile
  ) -> Int {
    let hash = hash(bytes, range)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let entry = entries[Int(slots[slot]) - 1]
      if entry.hash == hash, entry.name.count == range.count,
        bytes.commonPrefix(entry.name, range) == range.count
      {
        return entry.frame
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    let frame = profile.intern(Frame(function: bytes.string(range)))
    entries.append(Entry(name: range, hash: hash, frame: frame))
    slots[slot] = Int32(entries.count)
    if 2 * entries.count >= slots.count { grow() }
    return frame
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: 2 * slots.count)
    for (index, entry) in entries.enumerated() {
      var slot = Int(truncatingIfNeeded: entry.hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(index + 1)
    }
  }

  private func hash(_ bytes: RawSpan, _ range: Range<Int>) -> UInt64 {
    var hash = UInt64(range.count) ^ seed
    var offset = range.lowerBound
    while offset + 8 <= range.upperBound {
      hash = mix(hash ^ bytes.word(at: offset))
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < range.upperBound {
      tail = tail << 8 | UInt64(bytes.byte(at: offset))
      offset += 1
    }
    return mix(hash ^ tail)
  }

  private func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: seed)
    return product.high ^ product.low
  }
}
