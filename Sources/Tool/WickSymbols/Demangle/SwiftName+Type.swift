/// Types: paths without modules, with the sugar that the runtime's full form does not use.
extension SwiftName {
  /// `Swift.Optional<(app.Row in _1A2B).Key>` → `Row.Key?`.
  func type(_ range: Range<Int>, nesting: Int) -> [UInt8] {
    guard nesting < Self.nestingLimit else { return scanner[range] }
    var result: [UInt8] = []
    var index = range.lowerBound
    while index < range.upperBound {
      index = afterExtension(index, to: range.upperBound)
      let byte = scanner.byte(index)
      let identifier = scanner.identifierEnd(from: index, to: range.upperBound)
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: "["):
        let end = scanner.next(index, to: range.upperBound)
        if let name = privateName(index..<end) {
          result += scanner[name]
        } else {
          result += bracketed(index..<end, nesting: nesting)
        }
        index = end
      case UInt8(ascii: "<"):
        let end = scanner.next(index, to: range.upperBound)
        result += generics(index..<end, nesting: nesting)
        index = end
      case UInt8(ascii: ".")
      where scanner.identifierEnd(from: index + 1, to: range.upperBound)
        > index + 1:
        // Inside a path: only its first component can be a module.
        // Associated types are the exception: the protocol's module is inside the path.
        let end = scanner.identifierEnd(from: index + 1, to: range.upperBound)
        if !scanner.starts(".Swift.", at: index) { result += scanner[index..<end] }
        index = end
      case UInt8(ascii: " ") where scanner.byte(index + 1) == UInt8(ascii: "#"):
        // A local type, and the function that it is local to.
        result += scanner[index..<index + 1]
        return result + entity(index + 1..<range.upperBound, nesting: nesting + 1)
      case UInt8(ascii: "-") where scanner.byte(index + 1) == UInt8(ascii: ">"):
        result += Array("->".utf8)
        index = min(index + 2, range.upperBound)
      default:
        guard identifier > index else {
          result.append(byte)
          index += 1
          continue
        }
        if let (sugar, end) = sugared(index..<range.upperBound, nesting: nesting) {
          result += sugar
          index = end
        } else if isModule(index..<identifier, to: range.upperBound) {
          index = identifier + 1
          let name = scanner.identifierEnd(from: index, to: range.upperBound)
          result += scanner[index..<name]
          index = name
        } else {
          result += scanner[index..<identifier]
          index = identifier
        }
      }
    }
    return result
  }

  /// `<A, B where A: Swift.Hashable>` → `<A, B>`; arguments are types.
  func generics(_ group: Range<Int>, nesting: Int) -> [UInt8] {
    let inner = group.lowerBound + 1..<max(group.lowerBound + 1, group.upperBound - 1)
    let end = scanner.find(" where ", in: inner) ?? inner.upperBound
    return [UInt8(ascii: "<")] + type(inner.lowerBound..<end, nesting: nesting + 1)
      + [UInt8(ascii: ">")]
  }

  private func bracketed(_ group: Range<Int>, nesting: Int) -> [UInt8] {
    guard group.count > 1 else { return scanner[group] }
    let inner = group.lowerBound + 1..<group.upperBound - 1
    return [scanner.byte(group.lowerBound)] + type(inner, nesting: nesting + 1)
      + [scanner.byte(group.upperBound - 1)]
  }

  /// Whether an identifier is a path's module and not a generic parameter (`A`, `B1`).
  private func isModule(_ identifier: Range<Int>, to end: Int) -> Bool {
    guard identifier.upperBound + 1 < end,
      scanner.byte(identifier.upperBound) == UInt8(ascii: ".")
    else { return false }
    let following = scanner.byte(identifier.upperBound + 1)
    guard following == UInt8(ascii: "(") || NameScanner.isIdentifier(following) else {
      return false
    }
    let text = scanner[identifier]
    if text == Array("Any".utf8) || text == Array("Self".utf8) { return false }
    let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(text[0])
    return
      !(isUpper && text.count <= 2 && text.dropFirst().allSatisfy { (0x30...0x39).contains($0) })
  }

  /// `Swift.Optional<T>` → `T?`, `Swift.Array<T>` → `[T]`, `Swift.Dictionary<K, V>` → `[K : V]`.
  private func sugared(_ range: Range<Int>, nesting: Int) -> ([UInt8], end: Int)? {
    guard scanner.starts("Swift.", at: range.lowerBound) else { return nil }
    for (index, name) in ["Swift.Optional<", "Swift.Array<", "Swift.Dictionary<"].enumerated()
    where scanner.starts(name, at: range.lowerBound) {
      let open = range.lowerBound + name.utf8.count - 1
      let end = scanner.next(open, to: range.upperBound)
      guard end > open + 1 else { return nil }
      let inner = open + 1..<end - 1
      let comma = scanner.find(", ", in: inner)
      switch (index, comma) {
      case (0, nil):
        let isCompound =
          scanner.find("->", in: inner) != nil || scanner.find(" & ", in: inner) != nil
        let text = type(inner, nesting: nesting + 1)
        return (isCompound ? Array("(".utf8) + text + Array(")?".utf8) : text + [0x3f], end)
      case (1, nil):
        return (Array("[".utf8) + type(inner, nesting: nesting + 1) + Array("]".utf8), end)
      case (2, let comma?):
        let key = type(inner.lowerBound..<comma, nesting: nesting + 1)
        let value = type(comma + 2..<inner.upperBound, nesting: nesting + 1)
        return (Array("[".utf8) + key + Array(" : ".utf8) + value + Array("]".utf8), end)
      default: return nil
      }
    }
    return nil
  }
}
