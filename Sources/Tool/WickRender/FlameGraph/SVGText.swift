/// Text as it may stand in an SVG document.
enum SVGText {
  /// Escapes text for an element's content or a quoted attribute.
  ///
  /// Control characters, most of which XML cannot hold even escaped, become their visible pictures
  /// (U+2400 and up); bidirectional controls, which could disguise a name, and noncharacters become
  /// U+FFFD. The result holds no line break.
  static func escaped(_ text: some StringProtocol) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(visible(scalar))
      }
    }
    return result
  }

  /// A function's name without the annotation that folded text has at its end: `_[k]` kernel, `_[i]`
  /// inlined, `_[j]` JIT, `_[w]` waker.
  static func withoutAnnotation(_ name: String) -> String {
    let marks = ["_[k]", "_[i]", "_[j]", "_[w]"]
    return marks.contains { name.hasSuffix($0) } ? String(name.dropLast(4)) : name
  }

  /// Text whose control characters and bidirectional controls can be seen, as `escaped` makes it.
  static func visible(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    if isPlain { return text }
    var result = ""
    for scalar in text.unicodeScalars { result.unicodeScalars.append(visible(scalar)) }
    return result
  }

  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0...0x1f: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}"
    case 0x7f: "\u{2421}"
    case 0x80...0x9f, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfffe, 0xffff: "\u{fffd}"
    default: scalar
    }
  }

  /// Cuts text to columns of a monospace font, the last an ellipsis where it was longer.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - columns: Room; scripts from Hangul on (U+1100) are taken to need two columns a character.
  /// - Returns: The text, or its start and "…"; empty if there is no room for four columns.
  static func fitted(_ text: String, columns: Int) -> Substring {
    guard columns >= 4 else { return "" }
    guard text.utf8.count > columns else { return text[...] }
    var used = 0
    var cut = text.startIndex
    for index in text.indices {
      let wide = text[index].unicodeScalars.contains { $0.value >= 0x1100 }
      used += wide ? 2 : 1
      if used > columns { return text[..<cut] + "…" }
      if used < columns { cut = text.index(after: index) }
    }
    return text[...]
  }
}
