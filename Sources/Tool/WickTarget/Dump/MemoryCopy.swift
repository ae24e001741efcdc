/// A part of a process's memory as it was.
struct MemoryCopy {
  var start: UInt64
  var bytes: [UInt8]

  /// The eight bytes at an address; nil if they are not all in the copy.
  func word(at address: UInt64) -> UInt64? {
    guard address >= start, bytes.count >= 8, address - start <= UInt64(bytes.count - 8) else {
      return nil
    }
    let offset = Int(address - start)
    return unsafe bytes.withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
  }
}
