import WickTarget

/// `wick switch`: changes what is recorded of a process while it is recorded.
enum Switch: Subcommand {
  static let name = "switch"
  static let summary = "Changes which allocations are followed, while a process is recorded."
  static let synopsis = "--alloc=SIZE PID"
  static let wordLimit: Int? = 1
  static let example = "wick switch --alloc=all 1234"
  static let discussion = """
    Takes effect at once, in the recording that is under way, whoever started it. What is followed
    already stays so until it is freed.
    """
  static let options = [
    Option(
      name: "--alloc", value: "SIZE",
      help: "From now on one allocation in SIZE bytes (64k, 512k, 1m …), all, or off.")
  ]

  static func run(_ arguments: Arguments) throws -> Int32 {
    let interval = try AllocationOptions.newInterval(arguments)
    let process = try AgentArgument.ask("alloc interval=\(interval)", arguments).process
    try Console.print(
      "process \(process.pid) (\(process.name)): \(AllocationOptions.text(of: interval))\n")
    return 0
  }
}
