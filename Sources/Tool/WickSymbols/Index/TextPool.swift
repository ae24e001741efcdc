/// Texts of an index, each once, numbered from 0; number 0 is the empty text.
struct TextPool {
  static let empty: UInt32 = 0

  /// Longer texts are cut: a damaged file may have sections without any NUL.
  static let lengthLimit = 16384

  private(set) var bytes: [UInt8] = []
  /// Where texts end, by number.
  private(set) var ends: [UInt32] = [0]
  /// Numbers by hash, with linear probing; its size is a power of two.
  private var slots = [UInt32](repeating: .max, count: 1 << 10)
  /// How many bytes the pool may have.
  private let byteLimit: Int

  /// Creates a pool that turns texts into the empty one when it has too many bytes.
  init(byteLimit: Int) { self.byteLimit = min(byteLimit, Int(UInt32.max)) }

  /// Whether texts were left out.
  private(set) var isFull = false

  /// The number of a text.
  mutating func id(of text: RawSpan) -> UInt32 {
    let count = min(text.byteCount, Self.lengthLimit)
    guard count > 0 else { return Self.empty }
    var slot = Self.hash(text, count: count) & (slots.count - 1)
    while slots[slot] != .max {
      if isEqual(text, count: count, to: slots[slot]) { return slots[slot] }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard bytes.count + count <= byteLimit else {
      isFull = true
      return Self.empty
    }
    unsafe text.withUnsafeBytes { unsafe bytes.append(contentsOf: $0[..<count]) }
    let id = UInt32(ends.count)
    ends.append(UInt32(bytes.count))
    slots[slot] = id
    if ends.count * 2 > slots.count { grow() }
    return id
  }

  /// The number of a text in an array.
  mutating func id(of text: [UInt8]) -> UInt32 { unsafe id(of: text.span.bytes) }

  /// The number of a text in a part of an array.
  mutating func id(of text: ArraySlice<UInt8>) -> UInt32 { unsafe id(of: text.span.bytes) }

  /// The numbers here of all texts of another pool, by their numbers there.
  mutating func ids(of other: TextPool) -> [UInt32] {
    [Self.empty]
      + other.ends.indices.dropFirst().map { id(of: other.bytes[other.range(of: UInt32($0))]) }
  }

  /// How many underscores a text begins with.
  func underscoreCount(of id: UInt32) -> Int {
    guard id != Self.empty else { return 0 }
    return bytes[range(of: id)].prefix { $0 == UInt8(ascii: "_") }.count
  }

  /// Whether a text is one of glibc's names for calls that stay inside it.
  func isInternal(_ id: UInt32) -> Bool {
    id != Self.empty && bytes[range(of: id)].starts(with: "__GI_".utf8)
  }

  private func range(of id: UInt32) -> Range<Int> {
    Int(ends[Int(id) - 1])..<Int(ends[Int(id)])
  }

  private func isEqual(_ text: RawSpan, count: Int, to id: UInt32) -> Bool {
    let range = range(of: id)
    guard range.count == count else { return false }
    for index in 0..<count {
      // `count` is at most the text's size.
      let byte = unsafe text.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      if byte != bytes[range.lowerBound + index] { return false }
    }
    return true
  }

  private mutating func grow() {
    var slots = [UInt32](repeating: .max, count: slots.count * 4)
    for id in 1..<ends.count {
      let range = range(of: UInt32(id))
      let text = unsafe bytes.span.bytes.extracting(range)
      var slot = Self.hash(text, count: range.count) & (slots.count - 1)
      while slots[slot] != .max { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(id)
    }
    self.slots = slots
  }

  /// Eight bytes at a time, each mixed by a multiplication.
  private static func hash(_ text: RawSpan, count: Int) -> Int {
    var hash = UInt64(count)
    var index = 0
    while index + 8 <= count {
      // The loops check the bounds.
      let word = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
      hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 32
      index += 8
    }
    while index < count {
      let byte = unsafe text.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      hash = (hash ^ UInt64(byte)) &* 0x9e37_79b9_7f4a_7c15
      index += 1
    }
    return Int(truncatingIfNeeded: hash ^ hash >> 29) & .max
  }
}
