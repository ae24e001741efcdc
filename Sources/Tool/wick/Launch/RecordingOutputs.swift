import Glibc
import WickFormats
import WickProfile
import WickRecording

/// What becomes of a recording: the files that `record` and `attach` write.
struct RecordingOutputs {
  /// One thing to write.
  struct Output {
    enum Kind: String {
      case recording = "wick"
      case folded
      case flameGraph = "svg"
    }

    var path: String
    var kind: Kind
  }

  static let option = Option(
    name: "--output", letter: "o", value: "FILE",
    help: "What to write, by its extension: .wick, .folded or .svg. May be repeated.",
    isRepeatable: true)

  let all: [Output]

  /// As the options say; without them a recording named for a program and the time.
  init(_ arguments: Arguments, program: String) throws {
    let paths = arguments.all("--output")
    if paths.isEmpty {
      let name = program.split(separator: "/").last ?? "command"
      all = [Output(path: "wick-\(name)-\(Self.timestamp()).wick", kind: .recording)]
      return
    }
    all = try paths.map { path in
      let name = path.split(separator: "/").last ?? ""
      let suffix = name.contains(".") ? name.split(separator: ".").last.map(String.init) : nil
      guard let kind = suffix.flatMap({ Output.Kind(rawValue: $0) }) else {
        throw arguments.usage(
          "'\(path)' must end in .wick, .folded or .svg, which says what to write")
      }
      return Output(path: path, kind: kind)
    }
  }

  /// The first one, beside which intermediate files are.
  var first: String { all[0].path }

  /// The first flame graph.
  var flameGraph: String? { all.first { $0.kind == .flameGraph }?.path }

  /// Throws early if a file cannot be made.
  func check() throws {
    for output in all { try OutputFile.check(output.path) }
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

  /// Makes the outputs of what agents wrote, removes the session's folder, and says what they hold.
  ///
  /// - Parameters:
  ///   - recordings: In order; not empty.
  ///   - session: Where they are. If something cannot be written, they stay there.
  ///   - subject: What was recorded, as messages call it.
  /// - Throws: `Failure` if something cannot be written, or there are no samples.
  func finish(_ recordings: [String], session: Session, subject: String) throws {
    let input: Input
    do {
      input = try write(recordings, session: session)
    } catch let failure as Failure {
      let kept = "what was recorded is kept in \(session.folder)"
      throw Failure(
        line: failure.line.map { "\($0); \(kept)" } ?? kept, exitCode: failure.exitCode)
    }
    session.remove()
    Console.note(Summary.text(of: input.profile))
    for output in all { Console.note("wrote \(output.path)") }
    guard !input.profile.samples.isEmpty else {
      throw Failure.failed(
        "there are no samples: \(Summary.reasonForNoSamples(input.profile, subject: subject))")
    }
    if let recording = all.first(where: { $0.kind == .recording }) {
      for line in Summary.nextSteps(input.profile, path: recording.path) { Console.note(line) }
    }
  }

  /// Writes the outputs, the recording first, so that it is there whatever comes after.
  private func write(_ recordings: [String], session: Session) throws -> Input {
    let whole = "\(session.folder)/joined"
    try OutputFile.write(whole) { try Session.join(recordings, to: &$0) }
    for output in all where output.kind == .recording {
      try OutputFile.write(output.path) { try Session.join([whole], to: &$0) }
    }
    let needsNames = all.contains { $0.kind != .recording }
    let input = try Input.read(whole, name: first, naming: Naming(isWanted: needsNames))
    for output in all {
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
