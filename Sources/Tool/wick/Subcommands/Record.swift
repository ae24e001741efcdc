import Glibc
import WickFormats
import WickProfile
import WickRecording

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
    """
  static let options = [
    Option(
      name: "--output", letter: "o", value: "FILE",
      help: "What to write, by its extension: .wick, .folded or .svg. May be repeated.",
      isRepeatable: true),
    Option(
      name: "--rate", letter: "F", value: "HZ",
      help: "Samples per second of CPU time, 1 to 10000 (99)."),
    Option(
      name: "--duration", letter: "d", value: "SECONDS",
      help: "Ends the command with SIGTERM after this time."),
    Option(
      name: "--engine", value: "ENGINE",
      help: "auto, perf, perf-signal, timer or setitimer (auto)."),
    Option(name: "--no-children", help: "Records the command itself only."),
  ]

  /// As the agent calls them.
  private static let engines = ["auto", "perf", "perf-signal", "timer", "setitimer"]

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard let command = arguments.words.first else {
      throw arguments.usage("name a command to run, as in 'wick record -- ./server'")
    }
    let settings = Session.Settings(
      rate: try arguments.integer("--rate", in: 1...10_000) ?? 99,
      engine: try arguments.choice("--engine", of: engines) ?? "auto",
      includesChildren: !arguments.has("--no-children"))
    let seconds = try arguments.integer("--duration", in: 1...31_536_000)
    let outputs = try plan(arguments, command: command)
    let target = try Target.find(command)
    let library = try AgentLibrary.find()
    let perf = MachineCheckup.perfEngine()
    guard !settings.engine.hasPrefix("perf") || perf.isGood else {
      throw Failure.noTarget("the engine \(settings.engine) is \(perf.fact); or leave --engine out")
    }
    for output in outputs { try OutputFile.check(output.path) }

    let session = try Session(beside: outputs[0].path)
    var child: Child
    do {
      child = try Child(
        target.path, wordCount: arguments.words.count,
        variables: session.variables(library: library, settings: settings))
    } catch {
      session.remove()
      throw error
    }
    let ending = child.wait(limit: seconds.map { .seconds($0) })
    if ending == .abandoned {
      Console.note("wick: left early; what was recorded so far is in \(session.folder)")
      return ending.exitCode
    }
    child.release(farewell: "left early; what was recorded is in \(session.folder)")
    do {
      try finish(session, of: target, mainPID: child.pid, outputs: outputs)
      return ending.exitCode
    } catch let failure as Failure {
      // Whatever became of the recording, the command's own failure is the one to report.
      throw Failure(
        line: failure.line, exitCode: ending.exitCode != 0 ? ending.exitCode : failure.exitCode)
    }
  }

  /// One thing to write.
  private struct Output {
    enum Kind: String {
      case recording = "wick"
      case folded
      case flameGraph = "svg"
    }

    var path: String
    var kind: Kind
  }

  private static func plan(_ arguments: Arguments, command: String) throws -> [Output] {
    let paths = arguments.all("--output")
    if paths.isEmpty {
      let name = command.split(separator: "/").last ?? "command"
      return [Output(path: "wick-\(name)-\(timestamp()).wick", kind: .recording)]
    }
    return try paths.map { path in
      let name = path.split(separator: "/").last ?? ""
      let suffix = name.contains(".") ? name.split(separator: ".").last.map(String.init) : nil
      guard let kind = suffix.flatMap({ Output.Kind(rawValue: $0) }) else {
        throw arguments.usage(
          "'\(path)' must end in .wick, .folded or .svg, which says what to write")
      }
      return Output(path: path, kind: kind)
    }
  }

  /// The local time for a file name: 20260214-093015.
  private static func timestamp() -> String {
    var now = time(nil)
    var parts = unsafe tm()
    unsafe localtime_r(&now, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = unsafe "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
    return unsafe "\(date)-\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
  }

  /// Makes the outputs of what the agents wrote, and says what they hold.
  private static func finish(
    _ session: Session, of target: Target, mainPID: pid_t, outputs: [Output]
  ) throws {
    let recordings = session.recordings(mainPID: mainPID)
    guard !recordings.isEmpty else {
      let hasFailedAgents = session.hasFailedAgents
      session.remove()
      throw hasFailedAgents
        ? Failure.failed("nothing was recorded: the agent could not start, as it said above")
        : Failure.noTarget(
          "nothing was recorded: \(target.image) did not load libwick.so, or ended at once; see "
            + "'wick doctor \(target.path)'")
    }
    let input: Input
    do {
      input = try write(recordings, outputs: outputs, session: session)
    } catch let failure as Failure {
      let kept = "what was recorded is kept in \(session.folder)"
      throw Failure(
        line: failure.line.map { "\($0); \(kept)" } ?? kept, exitCode: failure.exitCode)
    }
    session.remove()
    Console.note(Summary.text(of: input.profile))
    for output in outputs { Console.note("wrote \(output.path)") }
    guard !input.profile.samples.isEmpty else {
      throw Failure.failed("there are no samples: \(Summary.reasonForNoSamples(input.profile))")
    }
    if let recording = outputs.first(where: { $0.kind == .recording }) {
      Console.note("next: wick report \(recording.path)    or: wick flamegraph \(recording.path)")
    }
  }

  /// Writes the outputs, the recording first, so that it is there whatever comes after.
  private static func write(
    _ recordings: [String], outputs: [Output], session: Session
  ) throws -> Input {
    let whole = "\(session.folder)/joined"
    try OutputFile.write(whole) { try Session.join(recordings, to: &$0) }
    for output in outputs where output.kind == .recording {
      try OutputFile.write(output.path) { try Session.join([whole], to: &$0) }
    }
    let needsNames = outputs.contains { $0.kind != .recording }
    let input = try Input.read(whole, name: outputs[0].path, naming: Naming(isWanted: needsNames))
    for output in outputs {
      switch output.kind {
      case .recording: break
      case .folded:
        try OutputFile.write(output.path) { Folded.write(input.profile, to: &$0) }
      case .flameGraph:
        try OutputFile.write(output.path) { FlameGraphCommand.write(input, to: &$0) }
      }
    }
    return input
  }
}
