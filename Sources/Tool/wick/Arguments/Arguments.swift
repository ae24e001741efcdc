/// The words behind a subcommand, checked against its options.
struct Arguments {
  private var values: [String: [String]] = [:]
  /// What is not an option, in order.
  private(set) var words: [String] = []
  /// Whether the options ask for the help page; what follows is not looked at.
  private(set) var wantsHelp = false
  private let subcommand: any Subcommand.Type

  /// Parses `--name value`, `--name=value`, `-n value`, `-nvalue`, `--switch` and `--`; a value that
  /// may be left out follows after `=` only.
  init(_ input: [String], for subcommand: any Subcommand.Type) throws {
    self.subcommand = subcommand
    var rest = input[...]
    while let word = rest.popFirst() {
      if word == "--" {
        words += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        words.append(word)
        if subcommand.takesCommand {
          words += rest
          break
        }
        continue
      }
      if word == "--help" || word == "-h" {
        wantsHelp = true
        return
      }
      try parse(word, &rest)
    }
    if let limit = subcommand.wordLimit, words.count > limit {
      throw usage("'\(words[limit])' is one argument too many")
    }
  }

  private mutating func parse(_ word: String, _ rest: inout ArraySlice<String>) throws {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let long = subcommand.options.first {
      $0.name == String(parts[0]) || $0.formerName == String(parts[0])
    }
    let short = subcommand.options.first { option in
      guard let letter = option.letter, !word.hasPrefix("--") else { return false }
      return word.dropFirst().first == letter
    }
    guard let option = long ?? short else {
      let names = subcommand.options.map(\.name) + ["--help"]
      let hint = Help.nearest(to: String(parts[0]), in: names)
      throw usage("unknown option '\(parts[0])'\(hint.map { "; did you mean '\($0)'?" } ?? "")")
    }
    let attached: String? =
      if long != nil { parts.count > 1 ? String(parts[1]) : nil } else {
        word.count > 2 ? String(word.dropFirst(2)) : nil
      }
    guard option.value != nil else {
      guard attached == nil else { throw usage("'\(option.name)' takes no value") }
      values[option.name] = [""]
      return
    }
    guard option.isRepeatable || values[option.name] == nil else {
      throw usage("'\(option.name)' is given twice")
    }
    if option.isValueOptional, attached == nil {
      values[option.name] = []
      return
    }
    guard let value = attached ?? rest.popFirst() else {
      throw usage("'\(option.name)' needs a value: \(option.value ?? "")")
    }
    values[option.name, default: []].append(value)
  }

  /// Whether an option is given.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The value of an option; nil if it is not given, or without one.
  func value(_ name: String) -> String? { values[name]?.first }

  /// All values of a repeatable option.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// The value of an option as an integer in a range.
  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw usage(
        "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound), "
          + "not '\(text)'")
    }
    return number
  }

  /// The value of an option as a percentage, in hundredths.
  func hundredthsOfPercent(_ name: String) throws -> Int? {
    guard let text = value(name) else { return nil }
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let isDigits = parts.allSatisfy { part in
      !part.isEmpty && part.allSatisfy { $0.isASCII && $0.isNumber }
    }
    let fraction = parts.count > 1 ? parts[1] : "0"
    guard isDigits, fraction.count <= 2, let whole = Int(parts[0]), whole <= 100,
      let tenths = Int(fraction)
    else {
      throw usage("'\(name)' must be a percentage such as 0.5 or 12, not '\(text)'")
    }
    let hundredths = 100 * whole + (fraction.count == 1 ? 10 * tenths : tenths)
    guard hundredths <= 10_000 else {
      throw usage("'\(name)' must be a percentage up to 100, not '\(text)'")
    }
    return hundredths
  }

  /// The value of an option as a number in a range.
  func decimal(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let text = value(name) else { return nil }
    guard let number = Double(text), range.contains(number) else {
      throw usage(
        "'\(name)' must be a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
    }
    return number
  }

  /// The value of an option, one of a few words.
  func choice(_ name: String, of choices: [String]) throws -> String? {
    guard let text = value(name) else { return nil }
    guard choices.contains(text) else {
      let list = choices.map { "'\($0)'" }.joined(separator: ", ")
      throw usage("'\(name)' must be one of \(list), not '\(text)'")
    }
    return text
  }

  /// A mistake in the command line of this subcommand.
  func usage(_ problem: String) -> Failure {
    .usage(problem, see: subcommand.name)
  }
}
