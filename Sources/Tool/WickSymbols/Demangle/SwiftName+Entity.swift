/// Entities: functions, accessors, closures and what they are nested in.
extension SwiftName {
  /// `closure #1 (Swift.Int) -> () in app.route(id: Swift.Int)` → `closure #1 in route(id:)`.
  func entity(_ range: Range<Int>, nesting: Int) -> [UInt8] {
    guard nesting < Self.nestingLimit else { return scanner[range] }
    guard let inner = scanner.find(" in ", in: range) else {
      return named(range, inContext: false, nesting: nesting)
    }
    let head = range.lowerBound..<inner
    let context = entity(inner + 4..<range.upperBound, nesting: nesting + 1)
    return (closure(head) ?? named(head, inContext: true, nesting: nesting)) + Array(" in ".utf8)
      + context
  }

  /// `closure #1 (Swift.Int) -> ()` → `closure #1`.
  private func closure(_ range: Range<Int>) -> [UInt8]? {
    let words = range.lowerBound + (scanner.starts("@", at: range.lowerBound) ? 1 : 0)
    guard let number = scanner.words(in: words..<range.upperBound, ending: "closure "),
      scanner.byte(number) == UInt8(ascii: "#")
    else { return nil }
    let end = scanner.identifierEnd(from: number + 1, to: range.upperBound)
    return scanner[range.lowerBound..<min(end, range.upperBound)]
  }

  /// A path, then labels in place of arguments; types and effects are left out.
  ///
  /// A path begins with a module, unless what it names is inside another entity.
  private func named(_ range: Range<Int>, inContext: Bool, nesting: Int) -> [UInt8] {
    var index = range.lowerBound
    var result: [UInt8] = []
    for word in ["@objc ", "@nonobjc "] where scanner.starts(word, at: index) {
      result += Array(word.utf8)
      index += word.utf8.count
    }
    if scanner.starts("default argument ", at: index),
      let argument = scanner.find(" of ", in: index..<range.upperBound)
    {
      result += scanner[index..<argument + 4]
      index = argument + 4
    } else if let accessor = scanner.words(in: index..<range.upperBound, ending: " of ") {
      result += scanner[index..<accessor]
      index = accessor
    }
    if scanner.starts("static ", at: index) {
      result += Array("static ".utf8)
      index += 7
    }
    index = afterExtension(index, to: range.upperBound)
    let module = scanner.identifierEnd(from: index, to: range.upperBound)
    if !inContext, module > index, module < range.upperBound,
      scanner.byte(module) == UInt8(ascii: ".")
    {
      index = module + 1
    }
    let symbol = scanner.operatorEnd(from: index, to: range.upperBound)
    result += scanner[index..<symbol]
    index = symbol
    var hasLabels = false
    path: while index < range.upperBound {
      let byte = scanner.byte(index)
      switch byte {
      case UInt8(ascii: "("):
        var end = scanner.next(index, to: range.upperBound)
        if scanner.starts("(in _", at: index) {
          // An unnamed context: only its discriminator is there.
          if scanner.byte(end) == UInt8(ascii: "."), end < range.upperBound { end += 1 }
          index = end
          continue
        }
        guard let name = privateName(index..<end) else {
          result += labels(index..<end)
          hasLabels = true
          // The accessor of a subscript may follow its arguments.
          guard end < range.upperBound, scanner.byte(end) == UInt8(ascii: ".") else { break path }
          index = end
          continue
        }
        result += scanner[name]
        index = end
      case UInt8(ascii: "<"):
        let end = scanner.next(index, to: range.upperBound)
        result += generics(index..<end, nesting: nesting + 1)
        index = end
      case UInt8(ascii: " "):
        // A local name's number, or an operator's fixity.
        let end = wordEnd(index, to: range.upperBound)
        guard let end else {
          // Nothing but a type may follow a path; the rest is a phrase that is not known here.
          if !hasLabels, !scanner.starts(" : ", at: index) {
            result += scanner[index..<range.upperBound]
          }
          break path
        }
        result += scanner[index..<end]
        index = end
        if scanner.byte(index) == UInt8(ascii: " "),
          "(<@".utf8.contains(scanner.byte(index + 1))
        {
          result.append(UInt8(ascii: " "))
          index += 1
        }
      case UInt8(ascii: "@") where scanner.starts("@Sendable (", at: index):
        result += scanner[index..<index + 10]
        index += 10
      case UInt8(ascii: "."):
        let end = scanner.operatorEnd(from: index, to: range.upperBound)
        result += scanner[index..<end]
        index = end
      default:
        var end = scanner.identifierEnd(from: index, to: range.upperBound)
        if end == index { end = scanner.operatorEnd(from: index, to: range.upperBound) }
        if end == index { end = index + 1 }
        result += scanner[index..<end]
        index = end
      }
    }
    return result
  }

  /// The end of ` #1`, ` infix`, ` prefix` or ` postfix` at `index`.
  private func wordEnd(_ index: Int, to end: Int) -> Int? {
    if scanner.byte(index + 1) == UInt8(ascii: "#") {
      return min(scanner.identifierEnd(from: index + 2, to: end), end)
    }
    for word in [" infix", " prefix", " postfix"] where scanner.starts(word, at: index) {
      return min(index + word.utf8.count, end)
    }
    return nil
  }

  /// `(id: Swift.Int, Swift.String)` → `(id:_:)`.
  private func labels(_ group: Range<Int>) -> [UInt8] {
    var result: [UInt8] = [UInt8(ascii: "(")]
    var index = group.lowerBound + 1
    let close = max(index, group.upperBound - 1)
    while index < close {
      let end = scanner.find(",", in: index..<close) ?? close
      let label = scanner.identifierEnd(from: index, to: end)
      let isLabel = label > index && scanner.byte(label) == UInt8(ascii: ":") && label < end
      result += isLabel ? scanner[index..<label] : [UInt8(ascii: "_")]
      result.append(UInt8(ascii: ":"))
      index = end + 1
      while index < close, scanner.byte(index) == UInt8(ascii: " ") { index += 1 }
    }
    result.append(UInt8(ascii: ")"))
    return result
  }

  /// The name in `(name in _1234ABCD)`, which tells private declarations of files apart.
  func privateName(_ group: Range<Int>) -> Range<Int>? {
    let start = group.lowerBound + 1
    guard start < group.upperBound else { return nil }
    var end = scanner.identifierEnd(from: start, to: group.upperBound)
    if end == start { end = scanner.operatorEnd(from: start, to: group.upperBound) }
    for fixity in [" infix", " prefix", " postfix"] where scanner.starts(fixity, at: end) {
      end += fixity.utf8.count
    }
    guard end > start, end < group.upperBound, scanner.starts(" in ", at: end) else { return nil }
    return start..<end
  }

  /// The position after `(extension in app):`, which may come more than once.
  func afterExtension(_ index: Int, to end: Int) -> Int {
    var index = index
    while index < end, scanner.starts("(extension in ", at: index) {
      let close = scanner.next(index, to: end)
      guard scanner.byte(close) == UInt8(ascii: ":"), close < end else { return index }
      index = close + 1
    }
    return index
  }
}
