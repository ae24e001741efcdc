import Glibc
import WickTarget

/// `wick attach`: records a process that runs.
enum Attach: Subcommand {
  static let name = "attach"
  static let summary = "Records a running process, which goes on serving."
  static let synopsis = "[OPTIONS] PID"
  static let wordLimit: Int? = 1
  static let example = "wick attach 1234 --duration 10 -o server.svg --open"
  static let discussion = """
    Brings the agent into the process unless it is there, and takes it out of work again at the end;
    the library stays mapped. The process goes on meanwhile: one of its threads that waits is held for
    about a millisecond. Records until --duration is over, Ctrl-C is pressed, or the process ends. The
    recording is written here, not by the process. If wick itself is killed, the agent stops.
    With --alloc the recording also has what is allocated from now on, and what becomes of it; what was
    allocated before is not known. 'wick switch' changes SIZE meanwhile.
    """
  static let options = [
    RecordingOutputs.option,
    Option(
      name: "--rate", letter: "F", value: "HZ",
      help: "Samples per second of CPU time, 1 to 10000 (99)."),
    Option(
      name: "--duration", letter: "d", value: "SECONDS", help: "Ends after this time; also '10s'."),
    Option(
      name: "--engine", value: "ENGINE",
      help: "auto, perf, perf-signal, timer or setitimer (auto)."),
    AllocationOptions.followed, AllocationOptions.references, AllocationOptions.mappings,
    Option(
      name: "--children", help: "Records the processes that it has started and starts, too."),
    Option(name: "--open", help: "Opens the flame graph in the browser."),
    Option(name: "--join", help: "Shares the session of another wick that records the process."),
    Option(
      name: "--perf",
      help: "Samples from outside by perf events: any program, by frame pointers only."),
    Option(
      name: "--step",
      help: "Also enters threads that never wait; holds one for some milliseconds."),
    Option(
      name: "--allow-seccomp",
      help: "Also enters a process whose filter of system calls might kill it for that."),
  ]

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard let word = arguments.words.first else {
      throw arguments.usage("name a process, as in 'wick attach 1234'; 'pgrep -a NAME' finds it")
    }
    let pid = try ProcessArgument.pid(word, arguments)
    let rate = try arguments.integer("--rate", in: 1...10_000) ?? 99
    let engine = try arguments.choice("--engine", of: Record.engines) ?? "auto"
    let allocations = try AllocationOptions(arguments)
    let limit = try ProcessArgument.duration("--duration", arguments)
    let process = try TargetProcess(pid: pid)
    let outputs = try RecordingOutputs(arguments, program: process.name)
    if arguments.has("--open"), outputs.flameGraph == nil {
      throw arguments.usage("'--open' shows a flame graph: name one, as in '-o server.svg'")
    }
    try outputs.check()

    if arguments.has("--perf") {
      return try OutsideSampling.run(arguments, process, rate: rate, limit: limit, outputs)
    }
    allocations.warn(of: "/proc/\(pid)/exe", name: "process \(pid) (\(process.name))")
    // From here on there is something to clean up.
    let signals = Interruption.block()
    let session = try Session(beside: outputs.first)
    let choice = Record.engines.firstIndex(of: engine) ?? 0
    let join = arguments.has("--join") ? 1 : 0
    let request =
      "record hz=\(rate) engine=\(choice) join=\(join) client=\(getpid())"
      + allocations.requestWords
    let isFilterAccepted = arguments.has("--allow-seccomp")
    let reception = Reception()
    do {
      let connection = try AttachedAgent.connect(
        to: process, isFilterAccepted: isFilterAccepted, mayStep: arguments.has("--step"))
      reception.add(
        try Feed(connection, to: process, request: request, folder: session.folder))
    } catch {
      session.remove()
      guard let refusal = error as? ControlConnection.Refusal else { throw error }
      throw Failure.noTarget(Self.reason(of: refusal, process))
    }
    if Terminal.isShown(STDERR_FILENO) {
      let end = limit == nil ? "; Ctrl-C ends it" : ""
      Console.note("recording process \(pid) (\(process.name)) at \(rate) Hz\(end)")
    }
    var live = LiveLine()
    var children = ChildFollower(
      of: process, request: request, folder: session.folder, isFilterAccepted: isFilterAccepted)
    let ending = reception.run(limit: limit, signals: signals) {
      if arguments.has("--children") { children.look(reception) }
      live.show(reception.recordings)
    }
    live.clear()
    if let (count, reason) = children.refusal {
      Console.error("\(count) of its children could not be recorded: \(reason)")
    }
    return try finish(
      ending, reception, session: session, outputs: outputs, opens: arguments.has("--open"))
  }

  private static func finish(
    _ ending: Reception.Ending, _ reception: Reception, session: Session,
    outputs: RecordingOutputs, opens: Bool
  ) throws -> Int32 {
    let process = reception.feeds[0].process
    let recordings = reception.recordings
    guard !recordings.isEmpty else {
      session.remove()
      throw Failure.failed(
        process.isAlive
          ? "nothing was recorded: the agent in process \(process.pid) went away"
          : "nothing was recorded: process \(process.pid) (\(process.name)) has ended")
    }
    switch ending {
    case .abandoned:
      Console.note("wick: left early; what was recorded so far is in \(session.folder)")
      return 128 + SIGINT
    case .unwritable(let code):
      throw Failure.failed(
        "cannot write to \(session.folder): \(Failure.reason(code)); what was recorded until then is "
          + "there; choose another place with -o")
    case .byAgent:
      Console.note(
        process.isAlive
          ? "the recording was ended in process \(process.pid) (wick stop, or its own program)"
          : "process \(process.pid) (\(process.name)) has ended")
    case .asked: break
    }
    try outputs.finish(recordings, session: session, subject: "the process")
    if opens, let graph = outputs.flameGraph { Browser.open(graph) }
    return 0
  }

  private static func reason(
    of refusal: ControlConnection.Refusal, _ process: TargetProcess
  ) -> String {
    let what = "process \(process.pid) (\(process.name))"
    switch refusal.code {
    case "busy":
      let other = refusal.facts["pid"] ?? "0"
      return other == "0"
        ? "\(what) already records itself into a file; 'wick status \(process.pid)' shows it, and "
          + "'wick stop \(process.pid)' ends it"
        : "\(what) is being recorded by another wick, process \(other); --join shares that session, "
          + "and 'wick stop \(process.pid)' ends it"
    case "start":
      let code = Int32(refusal.facts["errno"] ?? "") ?? 0
      return "the agent in \(what) cannot sample: \(Failure.reason(code)); try another --engine"
    case "version":
      return
        "\(what) has an agent of another version of wick; use that wick, or restart the process"
    default:
      return
        "the agent in \(what) does not answer; 'wick dump \(process.pid)' shows what its threads "
        + "do"
    }
  }
}
