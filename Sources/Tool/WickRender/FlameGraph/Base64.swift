/// Base64 (RFC 4648).
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  /// Both digits of each 12 bits, the first in the low byte.
  private static let pairs = (0..<4096).map { bits in
    UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8
  }

  /// Encodes a part of `bytes`; only the last part of a text may have a length that 3 does not
  /// divide.
  static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let byteCount = (bytes.count + 2) / 3 * 4
    let (bytes, pairs) = (bytes.span, pairs.span)
    return unsafe String(unsafeUninitializedCapacity: byteCount) { buffer in
      var place = 0
      var index = 0
      while index < bytes.count {
        let rest = bytes.count - index
        let second = rest > 1 ? bytes[index + 1] : 0
        let third = rest > 2 ? bytes[index + 2] : 0
        let word = Int(bytes[index]) << 16 | Int(second) << 8 | Int(third)
        let (high, low) = (pairs[word >> 12], pairs[word & 0xfff])
        unsafe buffer[place] = UInt8(truncatingIfNeeded: high)
        unsafe buffer[place + 1] = UInt8(truncatingIfNeeded: high >> 8)
        unsafe buffer[place + 2] = rest > 1 ? UInt8(truncatingIfNeeded: low) : UInt8(ascii: "=")
        unsafe buffer[place + 3] =
          rest > 2 ? UInt8(truncatingIfNeeded: low >> 8) : UInt8(ascii: "=")
        place += 4
        index += 3
      }
      return byteCount
    }
  }
}
