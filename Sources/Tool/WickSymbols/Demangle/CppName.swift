/// Cuts a demangled C++ name down to what names the function.
enum CppName {
  /// `void ns::sort<int>(int*, int*) [const]` → `ns::sort<int>`.
  ///
  /// Lambdas keep the signature of the function around them, as it is part of their name. Text
  /// that does not look like a function comes back as it is.
  static func withoutSignature(_ full: String) -> String {
    for description in descriptions where full.hasPrefix(description) {
      return description + withoutSignature(String(full.dropFirst(description.count)))
    }
    let text = Array(full.utf8)
    guard let end = parameters(text) else { return full }
    let start = resultEnd(text[..<end])
    return start < end ? String(decoding: text[start..<end], as: UTF8.self) : full
  }

  /// What demanglers print before the name of a function that has another's name.
  private static let descriptions = [
    "non-virtual thunk to ", "virtual thunk to ", "covariant return thunk to ",
    "transaction clone for ", "non-transaction clone for ", "TLS init function for ",
    "TLS wrapper function for ",
  ]

  private static let qualifiers = [" const", " volatile", " noexcept", " &&", " &"].map {
    Array($0.utf8)
  }

  /// Where the parameter list begins that ends the name (but for qualifiers).
  private static func parameters(_ text: [UInt8]) -> Int? {
    var end = text.count
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
