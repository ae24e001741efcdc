internal import Glibc

/// The 32-bit words of an index, in memory of their own or in a mapped file.
///
/// Unchecked: nothing changes the words once they are here.
@safe
final class IndexWords: @unchecked Sendable {
  private let memory: UnsafeRawBufferPointer
  private let isMapped: Bool

  let count: Int

  /// Copies of words, one part after the other.
  init(parts: [[UInt32]]) {
    count = parts.reduce(0) { $0 + $1.count }
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(count * 4, 4), alignment: 8)
    var offset = 0
    for part in parts {
      unsafe part.withUnsafeBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: bytes)
      }
      offset += part.count * 4
    }
    unsafe self.memory = UnsafeRawBufferPointer(memory)
    isMapped = false
  }

  /// The words of a file that nobody writes to; nil if it cannot be mapped.
  init?(descriptor: Int32, byteCount: Int) {
    guard byteCount > 0,
      // All of it is read at once, for its checksum.
      let start = unsafe mmap(
        nil, byteCount, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0),
      unsafe start != MAP_FAILED
    else { return nil }
    unsafe memory = UnsafeRawBufferPointer(start: start, count: byteCount)
    count = byteCount / 4
    isMapped = true
  }

  deinit {
    if isMapped {
      unsafe munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count)
    } else {
      unsafe memory.deallocate()
    }
  }

  /// A word; 0 outside, as a damaged file may point anywhere.
  @inline(__always) subscript(index: Int) -> UInt32 {
    guard index >= 0, index < count else { return 0 }
    // The bounds are checked above; words are aligned.
    return unsafe memory.load(fromByteOffset: index &* 4, as: UInt32.self)
  }

  /// The last of ascending words that is not above a value, counted from `start`; nil if all are
  /// above, or if the words are not all there.
  func last(notAbove value: UInt32, from start: Int, count length: Int) -> Int? {
    guard length > 0, start >= 0, length <= count - start else { return nil }
    // All words that are looked at are within the bounds above.
    let words = unsafe memory.baseAddress.unsafelyUnwrapped.advanced(by: start &* 4)
      .assumingMemoryBound(to: UInt32.self)
    // Without a branch on what is compared: which way it goes nobody can foretell.
    var first = 0
    var rest = length
    while rest > 1 {
      let half = rest / 2
      first = unsafe words[first &+ half] > value ? first : first &+ half
      rest &-= half
    }
    return unsafe words[first] > value ? nil : first
  }

  /// Bytes of words, as many as there are.
  @_lifetime(borrow self)
  func bytes(_ range: Range<Int>) -> RawSpan {
    let whole = range.clamped(to: 0..<count * 4)
    let part = unsafe UnsafeRawBufferPointer(rebasing: memory[whole])
    return unsafe _overrideLifetime(part.bytes, borrowing: self)
  }

  /// All bytes.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { bytes(0..<count * 4) }
  }
}
