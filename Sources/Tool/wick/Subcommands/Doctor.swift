import WickRender

/// `wick doctor`: what works here, what does not, and what to do.
enum Doctor: Subcommand {
  static let name = "doctor"
  static let summary = "Says what works on this machine and for a program, and what to do."
  static let synopsis = "[OPTIONS] [PROGRAM]"
  static let wordLimit: Int? = 1
  static let example = "wick doctor ./server"
  static let discussion = """
    Checks which way of sampling works here and why another does not, and whether a program has
    what good stacks and names need. Ends with 0 if the program can be recorded.
    """
  static let options = [Option(name: "--json", help: "Writes JSON for programs.")]

  static func run(_ arguments: Arguments) throws -> Int32 {
    let machine = MachineCheckup.findings()
    let program = try arguments.words.first.map { try ProgramCheckup(of: $0) }
    if arguments.has("--json") {
      try Console.print(json(machine: machine, program: program))
    } else {
      var text = "This machine\n" + lines(machine)
      if let program { text += "\n\(program.program)\n" + lines(program.findings) }
      try Console.print(text)
    }
    if let obstacle = program?.obstacle { return obstacle.exitCode }
    return MachineCheckup.agent().isGood ? 0 : Failure.Code.noTarget
  }

  private static func lines(_ findings: [Finding]) -> String {
    findings.reduce(into: "") { text, finding in
      let gap = String(repeating: " ", count: max(1, 15 - finding.name.count))
      text += "  \(finding.name)\(gap)\(finding.fact)\n"
    }
  }

  private static func json(machine: [Finding], program: ProgramCheckup?) -> String {
    var json = JSONWriter()
    json.object { json in
      json.integer("version", 1)
      json.array("machine") { write(machine, to: &$0) }
      if let program {
        json.object("program") { json in
          json.string("name", program.program)
          json.bool("canBeRecorded", program.obstacle == nil)
          json.array("findings") { write(program.findings, to: &$0) }
        }
      }
    }
    return json.take() + "\n"
  }

  private static func write(_ findings: [Finding], to json: inout JSONWriter) {
    for finding in findings {
      json.object { json in
        json.string("name", finding.name)
        json.bool("isGood", finding.isGood)
        json.string("fact", finding.fact)
      }
    }
  }
}
