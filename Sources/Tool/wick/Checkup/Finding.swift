/// One thing that the doctor looked at.
struct Finding {
  /// What it is, in a word or two.
  var name: String
  /// Whether nothing needs to be done about it.
  var isGood: Bool
  /// What was found, and what to do if it is not good.
  var fact: String

  static func good(_ name: String, _ fact: String) -> Finding {
    Finding(name: name, isGood: true, fact: fact)
  }

  static func bad(_ name: String, _ fact: String) -> Finding {
    Finding(name: name, isGood: false, fact: fact)
  }
}
