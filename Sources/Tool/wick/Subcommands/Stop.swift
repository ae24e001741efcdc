import WickTarget

/// `wick stop`: ends a recording in a process.
enum Stop: Subcommand {
  static let name = "stop"
  static let summary = "Ends the recording of a process, whoever started it."
  static let synopsis = "PID"
  static let wordLimit: Int? = 1
  static let example = "wick stop 1234"
  static let discussion = """
    What was recorded is written by whoever records. The process goes on.
    """
  static let options: [Option] = []

  static func run(_ arguments: Arguments) throws -> Int32 {
    let process = try AgentArgument.ask("stop", arguments).process
    try Console.print("stopped the recording of process \(process.pid) (\(process.name))\n")
    return 0
  }
}
