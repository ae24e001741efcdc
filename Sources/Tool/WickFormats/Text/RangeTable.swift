/// Values by the texts at ranges of the input: an open hash table whose keys stay in the input.
struct RangeTable<Value> {
  private struct Entry {
    var text: Range<Int>
    var context: Int
    var value: Value
  }

  /// Hashes the texts.
  let hasher: TextHasher
  private var entries: [Entry] = []
  private var hashes: [UInt64] = []
  /// Index into `entries` plus 1, 0 where free, below the upper half of the text's hash.
  ///
  /// The count is a power of two, at least twice the number of entries.
  private var slots = [UInt64](repeating: 0, count: 1024)

  init(_ hasher: TextHasher = TextHasher()) { self.hasher = hasher }

  /// Finds the text at a range.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - text: Where the text is.
  ///   - hash: Its hash; may be any function of the text and the context.
  ///   - context: Tells equal texts of different meaning apart.
  /// - Returns: Its value; nil where it was not added.
  func value(
    of bytes: RawSpan, _ text: Range<Int>, hash: UInt64, context: Int = 0
  ) -> Value? {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == hash >> 32 {
        let index = Int(slots[slot] & 0xffff_ffff) - 1
        if entries[index].context == context, bytes.areEqual(entries[index].text, text) {
          return entries[index].value
        }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Finds many texts at once, all without a context.
  ///
  /// Nearly all time of a search is waiting for memory. Here each step is made for all texts before
  /// the next step, so that they wait together.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - texts: Where the texts are, with their hashes.
  ///   - values: Receives the value of each; nil where it was not found at its first place.
  func values(
    of bytes: RawSpan, _ texts: [(range: Range<Int>, hash: UInt64)], into values: inout [Value?]
  ) {
    var indices: [Int] = []
    indices.reserveCapacity(texts.count)
    for text in texts {
      let slot = slots[Int(truncatingIfNeeded: text.hash) & (slots.count - 1)]
      indices.append(slot >> 32 == text.hash >> 32 ? Int(slot & 0xffff_ffff) - 1 : -1)
    }
    var found: [Entry?] = []
    found.reserveCapacity(texts.count)
    for index in indices { found.append(index >= 0 ? entries[index] : nil) }
    values.removeAll(keepingCapacity: true)
    for (entry, text) in zip(found, texts) {
      guard let entry, entry.context == 0, bytes.areEqual(entry.text, text.range) else {
        values.append(nil)
        continue
      }
      values.append(entry.value)
    }
  }

  /// Adds a text that was not found, with the same hash and context.
  mutating func add(_ value: Value, for text: Range<Int>, hash: UInt64, context: Int = 0) {
    entries.append(Entry(text: text, context: context, value: value))
    hashes.append(hash)
    fill(entries.count - 1)
    guard 2 * entries.count >= slots.count else { return }
    slots = [UInt64](repeating: 0, count: 2 * slots.count)
    for index in entries.indices { fill(index) }
  }

  private mutating func fill(_ index: Int) {
    let hash = hashes[index]
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(index + 1)
  }
}
