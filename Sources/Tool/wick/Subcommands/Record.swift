import Glibc
import WickTarget

/// `wick record`: launches a command with the agent preloaded.
enum Record: Subcommand {
  static let name = "record"
  static let summary = "Runs a command and records where its CPU time goes."
  static let synopsis = "[OPTIONS] [--] COMMAND [ARGUMENTS…]"
  static let wordLimit: Int? = nil
  static let example = "wick record -o server.svg -- ./server --port 8080"
  static let discussion = """
    The command runs as it would without wick, keeps its terminal and its exit code (128 + n if a
    signal n ends it). Ctrl-C ends the command as usual, and the recording is written; a second
    Ctrl-C leaves at once. Programs that the command starts are recorded too.
    With --alloc the recording also has what is allocated, from the first instruction on, and what
    becomes of it. An allocation is followed with a chance by its size, so that estimates are unbiased;
    smaller SIZEs make them finer and cost more.
    """
  static let options = [
    RecordingOutputs.option,
    Option(
      name: "--rate", letter: "F", value: "HZ",
      help: "Samples per second of CPU time, 1 to 10000 (99)."),
    Option(
      name: "--duration", letter: "d", value: "SECONDS",
      help: "Ends the command with SIGTERM after this time."),
    Option(
      name: "--engine", value: "ENGINE",
      help: "auto, perf, perf-signal, timer or setitimer (auto)."),
    AllocationOptions.followed, AllocationOptions.references, AllocationOptions.mappings,
    Option(name: "--no-children", help: "Records the command itself only."),
  ]

  /// As the agent calls them.
  static let engines = ["auto", "perf", "perf-signal", "timer", "setitimer"]

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard let command = arguments.words.first else {
      throw arguments.usage("name a command to run, as in 'wick record -- ./server'")
    }
    let settings = Session.Settings(
      rate: try arguments.integer("--rate", in: 1...10_000) ?? 99,
      engine: try arguments.choice("--engine", of: engines) ?? "auto",
      includesChildren: !arguments.has("--no-children"),
      allocations: try AllocationOptions(arguments))
    let seconds = try arguments.integer("--duration", in: 1...31_536_000)
    let outputs = try RecordingOutputs(arguments, program: command)
    let target = try Target.find(command)
    let library = try AgentLibrary.find(settings.allocations.library)
    let perf = MachineCheckup.perfEngine()
    guard !settings.engine.hasPrefix("perf") || perf.isGood else {
      throw Failure.noTarget("the engine \(settings.engine) is \(perf.fact); or leave --engine out")
    }
    try outputs.check()
    settings.allocations.warn(of: target.image, name: target.image)

    let session = try Session(beside: outputs.first)
    var child: Child
    do {
      child = try Child(
        target.path, wordCount: arguments.words.count,
        variables: session.variables(library: library, settings: settings))
    } catch {
      session.remove()
      throw error
    }
    let limit = seconds.map { Duration.seconds($0) }
    let reception = Reception()
    var children = settings.includesChildren ? follower(of: child, settings, session) : nil
    let ending =
      children == nil
      ? child.wait(limit: limit)
      : child.wait(limit: limit) {
        children?.look(reception)
        reception.receive(waiting: 0)
      }
    reception.end()
    if ending == .abandoned {
      Console.note("wick: left early; what was recorded so far is in \(session.folder)")
      return ending.exitCode
    }
    child.release(farewell: "left early; what was recorded is in \(session.folder)")
    do {
      try finish(session, settings, of: target, mainPID: child.pid, outputs: outputs)
      return ending.exitCode
    } catch let failure as Failure {
      // Whatever became of the recording, the command's own failure is the one to report.
      throw Failure(
        line: failure.line, exitCode: ending.exitCode != 0 ? ending.exitCode : failure.exitCode)
    }
  }

  /// Programs that the command executes load the agent themselves; processes that it forks and that
  /// go on as they are, such as a server's workers, are attached to.
  private static func follower(
    of child: Child, _ settings: Session.Settings, _ session: Session
  ) -> ChildFollower? {
    guard let process = try? TargetProcess(pid: child.pid) else { return nil }
    let choice = engines.firstIndex(of: settings.engine) ?? 0
    return ChildFollower(
      of: process,
      request: "record hz=\(settings.rate) engine=\(choice) client=\(getpid())"
        + settings.allocations.requestWords,
      folder: session.folder, isFilterAccepted: false)
  }

  private static func finish(
    _ session: Session, _ settings: Session.Settings, of target: Target, mainPID: pid_t,
    outputs: RecordingOutputs
  ) throws {
    let recordings = session.recordings(mainPID: mainPID)
    guard !recordings.isEmpty else {
      let hasFailedAgents = session.hasFailedAgents
      session.remove()
      throw hasFailedAgents
        ? Failure.failed("nothing was recorded: the agent could not start, as it said above")
        : Failure.noTarget(
          "nothing was recorded: \(target.image) did not load \(settings.allocations.library.rawValue), or ended at once; see "
            + "'wick doctor \(target.path)'")
    }
    try outputs.finish(recordings, session: session, subject: "the command")
  }
}
