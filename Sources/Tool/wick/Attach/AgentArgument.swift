import WickTarget

/// The process that a subcommand names, with the agent that must be in it.
enum AgentArgument {
  /// Asks the agent of the process that the words name.
  static func ask(
    _ verb: String, _ arguments: Arguments
  ) throws -> (process: TargetProcess, facts: [String: String]) {
    guard let word = arguments.words.first else {
      throw arguments.usage("name a process; 'wick list' shows those with an agent")
    }
    let process = try TargetProcess(pid: try ProcessArgument.pid(word, arguments))
    guard !process.isStopped else {
      throw Failure.noTarget(
        "process \(process.pid) (\(process.name)) is stopped (by SIGSTOP or Ctrl-Z), so its agent "
          + "cannot answer; 'kill -CONT \(process.pid)' lets it go on")
    }
    guard let connection = ControlConnection.open(to: process) else {
      throw Failure.noTarget(
        "process \(process.pid) (\(process.name)) has no agent that listens; 'wick list' shows "
          + "those that have")
    }
    do throws(ControlConnection.Refusal) {
      return (process, try connection.ask(verb))
    } catch {
      throw failure(error, process)
    }
  }

  private static func failure(
    _ refusal: ControlConnection.Refusal, _ process: TargetProcess
  ) -> Failure {
    let what = "process \(process.pid) (\(process.name))"
    switch refusal.code {
    case "idle": return .noTarget("\(what) is not being recorded")
    case "version":
      return .noTarget("\(what) has an agent of another version of wick; use that one")
    case "verb": return .noTarget("\(what) has an agent of an older wick; use that one")
    case "resources":
      let code = Int32(refusal.facts["errno"] ?? "") ?? 0
      return .failed("\(what) goes on as it was: \(Failure.reason(code))")
    default: return .noTarget("the agent in \(what) does not answer")
    }
  }
}
