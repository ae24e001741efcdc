import WickTarget

/// `wick list`: the processes that have an agent.
enum ListCommand: Subcommand {
  static let name = "list"
  static let summary = "Lists the processes that have an agent, and what it does."
  static let synopsis = ""
  static let wordLimit: Int? = 0
  static let example = "wick list"
  static let discussion = """
    Those that are recorded now, and those that wait for 'wick attach' (WICK=idle). Other users'
    processes are listed for root only.
    """
  static let options: [Option] = []

  static func run(_ arguments: Arguments) throws -> Int32 {
    ControlConnection.removeAbandoned()
    var rows: [[String]] = []
    for process in TargetProcess.all() {
      guard let connection = ControlConnection.open(to: process) else { continue }
      // Who says nothing is listed as well.
      let answer = process.isStopped ? nil : try? connection.ask("status")
      let status = AgentStatus(answer ?? [:])
      rows.append([
        "\(process.pid)", process.name, status.isRecording ? "\(status.rate) Hz" : "idle",
        status.allocations, status.isRecording ? status.elapsed : "-",
        status.isRecording ? status.samples : "-",
        status.isRecording ? status.lost : "-",
        status.isRecording ? "\(status.engine), to \(status.destination)" : "-",
      ])
    }
    guard !rows.isEmpty else {
      Console.note("no process has an agent; 'wick attach PID' brings one in")
      return 0
    }
    let heads = ["PID", "NAME", "RATE", "ALLOC", "SINCE", "SAMPLES", "LOST", "ENGINE"]
    let widths = heads.indices.map { column in
      ([heads] + rows).map { $0[column].count }.max() ?? 0
    }
    var text = ""
    for row in [heads] + rows {
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        // Numbers stand to the right.
        let isNumber = [0, 2, 3, 5, 6].contains(column)
        text += isNumber ? "\(padding)\(cell)" : column == 7 ? cell : "\(cell)\(padding)"
        text += column == 7 ? "\n" : "  "
      }
    }
    try Console.print(Console.harmless(text))
    return 0
  }
}
