internal import WickProfile

/// Frames by the bytes of their names, so that a name becomes a string once.
///
/// An open hash table that knows names by 96 bits of two keyed hashes alone: the names of all code
/// that there is do not collide in them, and comparing texts would cost more than all the rest.
struct FoldedNames {
  private struct Slot {
    var hash: UInt64
    var check: UInt32
    /// Index of the frame plus 1; 0 where the slot is free.
    var frame: UInt32
  }

  private let hasher = TextHasher()
  /// The count is a power of two, and at most two thirds are taken.
  private var slots = [Slot](repeating: Slot(hash: 0, check: 0, frame: 0), count: 1024)
  private var count = 0

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
    let name = hasher.name(bytes, from: start, limit: limit)
    var slot = Int(truncatingIfNeeded: name.hash) & (slots.count - 1)
    while slots[slot].frame != 0 {
      if slots[slot].hash == name.hash, slots[slot].check == name.check {
        return (Int(slots[slot].frame) - 1, name.end)
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    let frame = profile.intern(Frame(function: bytes.string(start..<name.end)))
    count += 1
    if 3 * count >= 2 * slots.count { grow() }
    fill(Slot(hash: name.hash, check: name.check, frame: UInt32(frame + 1)))
    return (frame, name.end)
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(hash: 0, check: 0, frame: 0), count: 2 * old.count)
    for slot in old where slot.frame != 0 { fill(slot) }
  }

  private mutating func fill(_ new: Slot) {
    var slot = Int(truncatingIfNeeded: new.hash) & (slots.count - 1)
    while slots[slot].frame != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = new
  }
}
