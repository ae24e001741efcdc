internal import WickProfile

/// Functions that Swift's compiler makes to call others, by their names for people.
enum SwiftForwarding {
  /// What a function does for another; nil for all that programmers write.
  static func of(_ function: String) -> Forwarding? {
    if let name = rest(of: function, behind: "partial apply forwarder for ") { return .to(name) }
    if let name = rest(of: function, behind: "partial apply for ") { return .to(name) }
    if ["thunk for ", "reabstraction thunk ", "dispatch thunk of "].contains(where: {
      function.hasPrefix($0)
    }) {
      return .thunk
    }
    guard let witness = rest(of: function, behind: "protocol witness for ") else { return nil }
    // `Collection.count.getter in conformance Row`: the method is behind the protocol.
    let words = witness.split(separator: " in conformance ", maxSplits: 1)
    guard words.count == 2, let start = memberStart(words[0]) else { return nil }
    return .method(String(words[0][start...]))
  }

  private static func rest(of name: String, behind prefix: String) -> String? {
    name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : nil
  }

  /// Where a member's name begins: behind the first dot that is not within brackets or arguments.
  private static func memberStart(_ name: Substring) -> Substring.Index? {
    var depth = 0
    for index in name.utf8.indices {
      switch name.utf8[index] {
      case UInt8(ascii: "<"): depth += 1
      case UInt8(ascii: ">"): depth -= 1
      case UInt8(ascii: "("): return nil
      case UInt8(ascii: ".") where depth == 0: return name.utf8.index(after: index)
      default: break
      }
    }
    return nil
  }
}
