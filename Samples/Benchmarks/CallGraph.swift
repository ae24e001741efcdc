/// Functions of a busy server that call each other: a few hot call paths, many rare ones.
struct CallGraph {
  /// Names of the functions; the first is the one that all stacks begin with.
  let names: [String]

  /// A function calls at most so many others.
  static let calleeLimit = 12
  private static let functionCount = 20_000

  init() {
    var random = SplitMix(state: 7)
    let words = ["handle", "request", "encode", "Buffer", "channel", "Future", "resolve", "header"]
    names = (0..<Self.functionCount).map { number in
      let parts = (0..<3).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }
      return "\(parts[0])::\(parts[1])_\(parts[2])_\(number)(int)"
    }
  }

  /// The function that is called at one of the places of another, always the same.
  func callee(of function: Int, at place: Int) -> Int {
    var choice = SplitMix(state: UInt64(function * Self.calleeLimit + place))
    return Int(choice.next() % UInt64(names.count))
  }

  /// The place of a call: 0 in most cases, once in `odds` cases one further on, and so forth.
  func place(odds: Int, using random: inout SplitMix) -> Int {
    var place = 0
    while place < Self.calleeLimit - 1, Int.random(in: 0..<odds, using: &random) == 0 {
      place += 1
    }
    return place
  }
}
