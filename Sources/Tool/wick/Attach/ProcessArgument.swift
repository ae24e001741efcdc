/// Words of the command line that concern running processes.
enum ProcessArgument {
  /// A process id.
  static func pid(_ word: String, _ arguments: Arguments) throws -> Int32 {
    guard let pid = Int32(word), pid > 0 else {
      throw arguments.usage("'\(word)' is no process id; 'pgrep -a \(word)' may find it")
    }
    return pid
  }

  /// A length of time: whole seconds, or with a unit (500ms, 10s, 2m, 1h).
  static func duration(_ name: String, _ arguments: Arguments) throws -> Duration? {
    guard let text = arguments.value(name) else { return nil }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["": 1000, "s": 1000, "ms": 1, "m": 60_000, "h": 3_600_000]
    guard let number = Int64(digits), let unit = units[String(text.dropFirst(digits.count))],
      number > 0, number <= 31_536_000
    else {
      throw arguments.usage("'\(name)' must be a time such as 10, 10s, 500ms or 2m, not '\(text)'")
    }
    return .milliseconds(number * Int64(unit))
  }
}
