/// Cuts a demangled C++ name down to what names the function.
enum CppName {
  /// `void ns::sort<int>(int*, int*) [const]` → `ns::sort<int>`.
  ///
  /// Lambdas keep the signature of the function around them, as it is part of their name. Text
  /// that does not look like a function comes back as it is.
  static func withoutSignature(_ full: String) -> String {
    for description in [" thunk to ", " for "] {
      // "non-virtual thunk to X", "guard variable for X", …
      let parts = full.utf8.split(
        separator: Array(description.utf8), maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].allSatisfy({ isDescription($0) }) else { continue }
      return String(decoding: parts[0], as: UTF8.self) + description
        + withoutSignature(String(decoding: parts[1], as: UTF8.self))
    }
    let text = Array(full.utf8)
    guard let end = parameters(text) else { return full }
    let start = resultEnd(text[..<end])
    return start < end ? String(decoding: text[start..<end], as: UTF8.self) : full
  }

  private static func isDescription(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "T") || byte == UInt8(ascii: "L")
      || byte == UInt8(ascii: "S")
  }

  /// Where the parameter list begins that ends the name (but for qualifiers).
  private static func parameters(_ text: [UInt8]) -> Int? {
    var end = text.count
    let qualifiers = [" const", " volatile", " noexcept", " &&", " &"].map { Array($0.utf8) }
    while let qualifier = qualifiers.first(where: { text[..<end].suffix($0.count) == $0[...] }) {
      end -= qualifier.count
    }
    guard end > 0, text[end - 1] == UInt8(ascii: ")") else { return nil }
    var depth = 0
    for index in (0..<end).reversed() {
      if text[index] == UInt8(ascii: ")") { depth += 1 }
      if text[index] == UInt8(ascii: "(") { depth -= 1 }
      if depth == 0 { return index > 0 ? index : nil }
    }
    return nil
  }

  /// Where the result's type and the blank behind it end; 0 if there is none.
  ///
  /// Only templates are printed with a result. `operator` ends the search: blanks behind it belong
  /// to the name (`operator new`, `operator unsigned int`).
  private static func resultEnd(_ text: ArraySlice<UInt8>) -> Int {
    var depth = 0
    var end = text.startIndex
    var index = text.startIndex
    let keyword = Array("operator".utf8)
    while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: "<"), UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: ">"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      case UInt8(ascii: " ") where depth == 0: end = index + 1
      case keyword[0] where depth == 0 && text[index...].starts(with: keyword):
        let isWord = index == end || text[index - 1] == UInt8(ascii: ":")
        let after = index + keyword.count
        if isWord, after == text.endIndex || !NameScanner.isIdentifier(text[after]) { return end }
      default: break
      }
      index += 1
    }
    return end
  }
}
