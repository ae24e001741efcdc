import CWickKernel
import Glibc
import WickRecording
import WickSymbols

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
  static let options: [Option] = []

  static func run(_ arguments: Arguments) throws -> Int32 {
    var text = "This machine\n"
    line("agent", library(), in: &text)
    line("perf engine", perf(), in: &text)
    line("timer engine", timers(), in: &text)
    var failure: Failure?
    if let program = arguments.words.first {
      text += "\n\(program)\n"
      do {
        let target = try Target.find(program)
        try inspect(target, in: &text)
      } catch let error as Failure {
        line("record", "no: \(error.line ?? "")", in: &text)
        failure = Failure(line: nil, exitCode: error.exitCode)
      }
    }
    try Console.print(text)
    if let failure { throw failure }
    return 0
  }

  private static func line(_ name: String, _ fact: String, in text: inout String) {
    text += "  \(name)\(String(repeating: " ", count: 15 - name.count))\(fact)\n"
  }

  private static func library() -> String {
    do {
      return try AgentLibrary.find()
    } catch {
      return "missing: \((error as? Failure)?.line ?? "")"
    }
  }

  private static func perf() -> String {
    let code = wick_kernel_probe_perf()
    switch code {
    case 0:
      return "works: exact at 1 to 10,000 Hz, threads covered from their first instruction"
    case EACCES, EPERM:
      let level = firstLine(of: "/proc/sys/kernel/perf_event_paranoid") ?? "unknown"
      let filtered = firstLine(of: "/proc/self/status", beginning: "Seccomp:") ?? "0"
      let advice =
        filtered != "0"
        ? "a seccomp filter is on: allow perf_event_open in the container's profile"
        : "as root: sysctl kernel.perf_event_paranoid=1, or give CAP_PERFMON"
      return "not permitted (perf_event_paranoid is \(level)); \(advice)"
    case EINVAL, ENOENT, ENOSYS:
      return "not in this kernel (\(Failure.reason(code))); it needs Linux 5.13"
    default:
      return "fails: \(Failure.reason(code))"
    }
  }

  private static func timers() -> String {
    var resolution = timespec()
    unsafe clock_getres(CLOCK_MONOTONIC_COARSE, &resolution)
    let hertz = resolution.tv_nsec > 0 ? 1_000_000_000 / resolution.tv_nsec : 0
    return "works: at most \(hertz) signals a second of CPU time, weighted above that"
  }

  private static func inspect(_ target: Target, in text: inout String) throws {
    line("record", "yes" + (target.image == target.path ? "" : ", by \(target.image)"), in: &text)
    guard let file = try? MappedFile(path: target.image),
      let facts = ProgramFacts(file.bytes)
    else { return }
    line(
      "symbols",
      facts.hasSymbolTable
        ? "\(Summary.grouped(Int64(facts.namedFunctionCount))) functions have names"
        : "stripped: only \(Summary.grouped(Int64(facts.namedFunctionCount))) exported names; keep "
          + "the symbol table, or install the debug package",
      in: &text)
    line(
      "build-id",
      facts.buildID.isEmpty
        ? "none: files cannot be checked against a recording; link with --build-id"
        : facts.buildID,
      in: &text)
    line(
      "lines", facts.hasDebugInfo ? "in the file" : "none: build with -g to have them later",
      in: &text)
    line(
      "unwinding",
      facts.describedFunctionCount > 0
        ? "\(Summary.grouped(Int64(facts.describedFunctionCount))) functions in .eh_frame"
        : "no .eh_frame: stacks rest on frame pointers alone",
      in: &text)
    guard let share = facts.framePointerShare else { return }
    let percent = Int((share * 100).rounded())
    let advice =
      percent >= 80 || facts.describedFunctionCount > 0
      ? "" : "; build with -fno-omit-frame-pointer"
    line("frame pointers", "in \(percent) % of the functions\(advice)", in: &text)
  }

  /// The first line of a file, or what follows a label in the line that begins with it.
  private static func firstLine(of path: String, beginning label: String = "") -> String? {
    var bytes = [UInt8](repeating: 0, count: 8192)
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(label) }) else {
      return nil
    }
    return line.dropFirst(label.count).split { $0 == " " || $0 == "\t" }.last.map(String.init)
  }
}
