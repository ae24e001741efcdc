/// Rust's legacy mangling: an Itanium nested name whose last part is a hash.
enum RustName {
  /// `_ZN4core3fmt5write17h0123456789abcdefE` → `core::fmt::write`; nil for a name that is not one.
  static func legacy(_ symbol: String) -> String? {
    let text = Array(symbol.utf8)
    guard symbol.hasPrefix("_ZN"), text.last == UInt8(ascii: "E") else { return nil }
    var parts: [ArraySlice<UInt8>] = []
    var index = 3
    while index < text.count - 1 {
      var length = 0
      let digits = index
      while index < text.count, (0x30...0x39).contains(text[index]), index - digits < 5 {
        length = length * 10 + Int(text[index] - 0x30)
        index += 1
      }
      guard length > 0, length <= text.count - 1 - index else { return nil }
      parts.append(text[index..<index + length])
      index += length
    }
    guard parts.count > 1, let hash = parts.popLast(), isHash(hash) else { return nil }
    return parts.map(unescaped).joined(separator: "::")
  }

  private static func isHash(_ part: ArraySlice<UInt8>) -> Bool {
    part.count == 17 && part.first == UInt8(ascii: "h")
      && part.dropFirst().allSatisfy {
        (0x30...0x39).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  private static let escapes: [String: String] = [
    "SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ",",
  ]

  /// `_$LT$T$u20$as$u20$a..B$GT$` → `<T as a::B>`.
  private static func unescaped(_ part: ArraySlice<UInt8>) -> String {
    var text = String(decoding: part, as: UTF8.self)
    if text.hasPrefix("_$") { text.removeFirst() }
    var result = ""
    var rest = text[...]
    while let character = rest.first {
      if rest.hasPrefix("..") {
        result += "::"
        rest = rest.dropFirst(2)
      } else if character == "$", let end = rest.dropFirst().firstIndex(of: "$"),
        let plain = unescape(rest[rest.index(after: rest.startIndex)..<end])
      {
        result += plain
        rest = rest[rest.index(after: end)...]
      } else {
        result.append(character)
        rest = rest.dropFirst()
      }
    }
    return result
  }

  private static func unescape(_ code: Substring) -> String? {
    if let plain = escapes[String(code)] { return plain }
    guard code.hasPrefix("u"), let value = UInt32(code.dropFirst(), radix: 16),
      let scalar = Unicode.Scalar(value)
    else { return nil }
    return String(Character(scalar))
  }
}
