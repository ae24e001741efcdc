/// Writes JSON in the order of its calls; commas and escapes are its business.
///
/// Text gathers in `text` until the caller takes it.
package struct JSONWriter {
  /// What was written since it was last taken.
  package private(set) var text = ""
  /// For each open object or array whether it has an element.
  private var hasElement: [Bool] = []

  /// Whether everything is on one line.
  private let isCompact: Bool

  /// Creates a writer that has written nothing.
  package init(isCompact: Bool = false) { self.isCompact = isCompact }

  /// Returns what was written since the last call.
  package mutating func take() -> String {
    defer { text = "" }
    return text
  }

  /// Writes an object, as an element or as a key's value.
  package mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
    nest(key, "{", "}", body)
  }

  /// Writes an array, as an element or as a key's value.
  package mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
    nest(key, "[", "]", body)
  }

  /// Writes a string, or null.
  package mutating func string(_ key: String? = nil, _ value: (some StringProtocol)?) {
    begin(key)
    guard let value else {
      text += "null"
      return
    }
    quote(value)
  }

  /// Writes an integer, or null.
  package mutating func integer(_ key: String? = nil, _ value: (some BinaryInteger)?) {
    begin(key)
    text += value.map { String($0) } ?? "null"
  }

  /// Writes a number that is text already, such as "12.50".
  package mutating func number(_ key: String? = nil, _ digits: String?) {
    begin(key)
    text += digits ?? "null"
  }

  /// Writes true or false.
  package mutating func bool(_ key: String? = nil, _ value: Bool) {
    begin(key)
    text += value ? "true" : "false"
  }

  private mutating func nest(
    _ key: String?, _ open: String, _ close: String, _ body: (inout JSONWriter) -> Void
  ) {
    begin(key)
    text += open
    hasElement.append(false)
    body(&self)
    if hasElement.removeLast() { newline() }
    text += close
  }

  private mutating func begin(_ key: String?) {
    if let last = hasElement.last {
      if last { text += "," }
      hasElement[hasElement.count - 1] = true
      newline()
    }
    guard let key else { return }
    quote(key)
    text += isCompact ? ":" : ": "
  }

  private mutating func newline() {
    if isCompact { return }
    text += "\n"
    for _ in hasElement { text += "  " }
  }

  /// Escapes what RFC 8259 demands, and what would end a line or a script element.
  private mutating func quote(_ value: some StringProtocol) {
    text += "\""
    if isPlain(value) {
      text += value
      text += "\""
      return
    }
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}", "<", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  /// Whether nothing in a text has to be escaped.
  private func isPlain(_ value: some StringProtocol) -> Bool {
    value.utf8.allSatisfy {
      $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        && $0 != UInt8(ascii: "<")
    }
  }
}
