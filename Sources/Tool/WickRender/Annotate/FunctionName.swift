/// Names of functions as people say them.
enum FunctionName {
  /// A name without its parameters and generic arguments: `a::B<C>::f(int)` is `a::B::f`.
  static func bare(_ name: String) -> String {
    var result = ""
    var depth = 0
    for character in name {
      switch character {
      case "<": depth += 1
      case ">": depth -= 1
      case "(" where depth <= 0 && !result.isEmpty: return result
      default: if depth <= 0 { result.append(character) }
      }
    }
    return result
  }
}
