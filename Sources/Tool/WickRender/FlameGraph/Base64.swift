/// Base64 (RFC 4648).
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Encodes a part of `bytes`; only the last part of a text may have a length that 3 does not
  /// divide.
  static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let byteCount = (bytes.count + 2) / 3 * 4
    return unsafe String(unsafeUninitializedCapacity: byteCount) { buffer in
      var place = 0
      var index = bytes.startIndex
      while index < bytes.endIndex {
        let rest = bytes.endIndex - index
        let second = rest > 1 ? bytes[index + 1] : 0
        let third = rest > 2 ? bytes[index + 2] : 0
        let word = Int(bytes[index]) << 16 | Int(second) << 8 | Int(third)
        unsafe buffer[place] = alphabet[word >> 18]
        unsafe buffer[place + 1] = alphabet[word >> 12 & 63]
        unsafe buffer[place + 2] = rest > 1 ? alphabet[word >> 6 & 63] : UInt8(ascii: "=")
        unsafe buffer[place + 3] = rest > 2 ? alphabet[word & 63] : UInt8(ascii: "=")
        place += 4
        index += 3
      }
      return byteCount
    }
  }
}
