/// Numbers the different texts among ranges of the input, from 0 in the order of their addition.
///
/// An open hash table whose keys stay in the input.
struct RangeTable {
  /// Where a text is, or where it goes.
  struct Place {
    fileprivate var hash: UInt64
    /// The text's number; nil where it was not added yet.
    var id: Int?
  }

  private struct Entry {
    var text: Range<Int>
    var context: Int
    var hash: UInt64
  }

  private var entries: [Entry] = []
  /// Index into `entries` plus 1, 0 where free; the count is a power of two, at least twice
  /// the number of entries.
  private var slots = [Int32](repeating: 0, count: 1024)
  /// Differs from run to run, so that no file can be made to collide; no result depends on it.
  private let seed = UInt64.random(in: .min ... .max) | 1

  /// Finds the text at `range`.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - range: Where the text is.
  ///   - context: Tells equal texts of different meaning apart.
  /// - Returns: Where it is, or where it goes.
  func place(of bytes: RawSpan, _ range: Range<Int>, context: Int = 0) -> Place {
    let hash = hash(bytes, range) &+ UInt64(truncatingIfNeeded: context) &* 0x9e37_79b9_7f4a_7c15
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      let entry = entries[index]
      if entry.hash == hash, entry.context == context, entry.text.count == range.count,
        bytes.commonPrefix(entry.text, range) == range.count
      {
        return Place(hash: hash, id: index)
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return Place(hash: hash, id: nil)
  }

  /// Adds a text that is new.
  ///
  /// - Parameters:
  ///   - range: Where the text is.
  ///   - context: As in `place`.
  ///   - place: Where it was not found.
  /// - Returns: Its number.
  mutating func add(_ range: Range<Int>, context: Int = 0, at place: Place) -> Int {
    entries.append(Entry(text: range, context: context, hash: place.hash))
    fill(entries.count - 1)
    if 2 * entries.count >= slots.count {
      slots = [Int32](repeating: 0, count: 2 * slots.count)
      for index in entries.indices { fill(index) }
    }
    return entries.count - 1
  }

  private mutating func fill(_ index: Int) {
    var slot = Int(truncatingIfNeeded: entries[index].hash) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(index + 1)
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
