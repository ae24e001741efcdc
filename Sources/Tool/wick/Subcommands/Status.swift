import WickTarget

/// `wick status`: what is recorded of a process.
enum Status: Subcommand {
  static let name = "status"
  static let summary = "Shows what is being recorded of a process."
  static let synopsis = "PID"
  static let wordLimit: Int? = 1
  static let example = "wick status 1234"
  static let discussion = """
    Shows whether it is recorded, by which engine, at what rate, which allocations are followed, since
    when, for whom, and how much was sampled and lost by now.
    """
  static let options: [Option] = []

  static func run(_ arguments: Arguments) throws -> Int32 {
    let (process, facts) = try AgentArgument.ask("status", arguments)
    let status = AgentStatus(facts)
    var text = "Process    \(process.pid) (\(process.name))\n"
    text += "Agent      wick \(status.version)\n"
    text += "Recording  \(status.isRecording ? "yes, to \(status.destination)" : "no")\n"
    if status.isRecording {
      text += "Engine     \(status.engine), \(status.rate) Hz\n"
      if let interval = status.allocationInterval {
        text += "Memory     \(AllocationOptions.text(of: interval))\n"
      }
      text += "Since      \(status.elapsed) ago\n"
      text += "Samples    \(status.samples), \(status.lost) lost, \(status.threads) threads\n"
    }
    try Console.print(Console.harmless(text))
    return 0
  }
}
