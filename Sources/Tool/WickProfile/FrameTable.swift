/// Finds frames in an array of them: an open hash table of indices.
struct FrameTable: Sendable {
  private var hashes: [Int] = []
  /// Index plus 1, 0 where free; the count is a power of two, at least twice that of `hashes`.
  private var slots = [Int32](repeating: 0, count: 16)

  /// Returns the index of a frame in `frames`, to which it is added where it is missing.
  mutating func index(of frame: Frame, in frames: inout [Frame]) -> Int {
    let hash = frame.hashValue
    var slot = hash & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if hashes[index] == hash, frames[index] == frame { return index }
      slot = (slot + 1) & (slots.count - 1)
    }
    frames.append(frame)
    hashes.append(hash)
    slots[slot] = Int32(frames.count)
    if 2 * frames.count >= slots.count { grow() }
    return frames.count - 1
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: 2 * slots.count)
    for (index, hash) in hashes.enumerated() {
      var slot = hash & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(index + 1)
    }
  }
}
