/// Finds its way in a demangled Swift name: brackets, arrows, operators, words.
///
/// All positions are byte offsets; every function accepts any position and range of the text.
struct NameScanner {
  private let text: [UInt8]

  init(_ text: String) { self.text = Array(text.utf8) }

  var all: Range<Int> { text.indices }

  subscript(range: Range<Int>) -> [UInt8] { Array(text[range]) }

  /// The byte at a position, 0 past the end.
  func byte(_ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }

  func starts(_ prefix: some Sequence<UInt8>, at index: Int) -> Bool {
    text[min(index, text.count)...].starts(with: prefix)
  }

  func starts(_ prefix: String, at index: Int) -> Bool { starts(prefix.utf8, at: index) }

  /// The position after what begins at `index`: a bracketed group, an arrow, a dotted operator or
  /// else one byte.
  func next(_ index: Int, to end: Int) -> Int {
    var index = index
    var depth = 0
    repeat {
      guard index < end else { return end }
      switch text[index] {
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "<"):
        depth += 1
        index += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: ">"):
        depth -= 1
        index += 1
      case UInt8(ascii: "-") where byte(index + 1) == UInt8(ascii: ">"): index += 2
      case UInt8(ascii: ".") where Self.isOperator(byte(index + 1)):
        index = operatorEnd(from: index + 1, to: end)
      default: index += 1
      }
    } while depth > 0
    return min(index, end)
  }

  /// The position after the angle brackets that open at `index`, whatever else is in them.
  func angleEnd(_ index: Int, to end: Int) -> Int {
    var index = index
    var depth = 0
    repeat {
      guard index < end else { return end }
      if text[index] == UInt8(ascii: "<") { depth += 1 }
      let isArrow = index > 0 && text[index - 1] == UInt8(ascii: "-")
      if text[index] == UInt8(ascii: ">"), !isArrow { depth -= 1 }
      index += 1
    } while depth > 0
    return index
  }

  /// The first place of `phrase` outside all brackets.
  func find(_ phrase: String, in range: Range<Int>) -> Int? {
    let phrase = Array(phrase.utf8)
    var index = range.lowerBound
    while index + phrase.count <= range.upperBound {
      if text[index] == phrase[0], starts(phrase, at: index) { return index }
      index = next(index, to: range.upperBound)
    }
    return nil
  }

  /// The last place of `phrase` outside all brackets.
  func findLast(_ phrase: String, in range: Range<Int>) -> Int? {
    var last: Int?
    var rest = range
    while let index = find(phrase, in: rest) {
      last = index
      rest = index + phrase.utf8.count..<range.upperBound
    }
    return last
  }

  /// The end of `phrase` if only lower-case words stand before it; of its last place if it recurs.
  func words(in range: Range<Int>, ending phrase: String) -> Int? {
    var index = range.lowerBound
    var end: Int?
    let phrase = Array(phrase.utf8)
    while index < range.upperBound, Self.isWord(text[index]) {
      if text[index] == phrase[0], starts(phrase, at: index),
        index + phrase.count <= range.upperBound
      {
        end = index + phrase.count
      }
      index += 1
    }
    return end
  }

  /// The end of the identifier that begins at `index`, or `index`.
  func identifierEnd(from index: Int, to end: Int) -> Int {
    var index = index
    if index < end, text[index] == UInt8(ascii: "`") {
      let close = text[(index + 1)..<end].firstIndex(of: UInt8(ascii: "`"))
      return close.map { $0 + 1 } ?? end
    }
    while index < end, Self.isIdentifier(text[index]) { index += 1 }
    return index
  }

  func operatorEnd(from index: Int, to end: Int) -> Int {
    var index = index
    while index < end, Self.isOperator(text[index]) { index += 1 }
    return index
  }

  static func isIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }

  static func isOperator(_ byte: UInt8) -> Bool {
    "/=-+!*%<>&|^~?.".utf8.contains(byte)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: " ")
      || byte == UInt8(ascii: "-")
  }
}
