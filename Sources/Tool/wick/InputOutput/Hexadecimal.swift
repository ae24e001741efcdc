/// Addresses as people and tools write them.
enum Hexadecimal {
  /// Reads an address with or without `0x`; nil for anything else.
  static func address(_ text: Span<UInt8>) -> UInt64? {
    var index = 0
    if text.count > 2, text[0] == UInt8(ascii: "0"), text[1] | 0x20 == UInt8(ascii: "x") {
      index = 2
    }
    guard index < text.count else { return nil }
    var value: UInt64 = 0
    while index < text.count {
      let digit = text[index]
      let number: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): number = digit - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): number = digit - UInt8(ascii: "A") + 10
      default: return nil
      }
      guard value >> 60 == 0 else { return nil }
      value = value << 4 | UInt64(number)
      index += 1
    }
    return value
  }
}
