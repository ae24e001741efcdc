import Glibc
import WickProfile
import WickRender
import WickSymbols
import WickTarget

/// `wick dump`: what all threads of a live process do at this moment.
enum Dump: Subcommand {
  static let name = "dump"
  static let summary = "Shows what each thread of a live process does now: its stack."
  static let synopsis = "[OPTIONS] PID"
  static let wordLimit: Int? = 1
  static let example = "wick dump 4711"
  static let discussion = """
    Any process of yours, hung or stopped ones too; nothing is put into it. Threads that wait are
    read as they are; others are stopped one at a time, for as long as it takes to copy registers
    and stack, and a system call that this cuts short is made again (if with a timeout, that may
    begin anew). Within a write that has moved a part of its bytes a thread is not stopped: then
    frames may be missing that only its registers tell. Frames are listed from the innermost on, threads with the same stack together.
    Tracing may need root (kernel.yama.ptrace_scope).
    """
  static let options =
    [
      Option(name: "--all", letter: "a", help: "Shows each thread by itself."),
      Option(name: "--force", help: "Stops threads within a write, too, which that may cut short."),
      Option(name: "--json", help: "Writes JSON for programs."),
      Option(
        name: "--output", letter: "o", value: "FILE", help: "Where to write (standard output)."),
    ] + Naming.options

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard let word = arguments.words.first else {
      throw arguments.usage("name a process by its id, as in '\(example)'")
    }
    guard let pid = Int32(word), pid > 0 else {
      throw arguments.usage("'\(word)' is no process id")
    }
    let process = try TargetProcess(pid: pid)
    let dump = try ProcessDump(of: process, mayCutTransfers: arguments.has("--force"))
    let naming = Naming(arguments)
    var profile = dump.profile
    if naming.isWanted {
      profile = Progress.during("naming functions of \(process.name)") { say in
        var symbolicator = naming.symbolicator(for: process)
        symbolicator.willRead = { say("reading symbols of \($0.name)") }
        return symbolicator.symbolicate(profile)
      }
    }
    for warning in profile.origin.warnings { Console.error(warning) }
    // Rows stay in their order, but naming gives them other stacks.
    let threads = zip(dump.threads, profile.samples).map { thread, sample in
      StackReport.Thread(
        tid: thread.tid, name: thread.name, state: thread.state.rawValue,
        systemCall: thread.systemCall?.name, waitChannel: thread.waitChannel,
        pauseNanoseconds: thread.pauseNanoseconds, stack: sample.stack)
    }
    let report = StackReport(
      profile, threads: threads, pid: pid, name: process.name,
      isGrouped: !arguments.has("--all"), hasEnded: dump.hasEnded)
    try OutputFile.write(arguments.value("--output") ?? "-") { sink in
      if arguments.has("--json") {
        report.writeJSON(to: &sink)
      } else {
        report.writeText(to: &sink)
      }
    }
    return 0
  }
}

extension Naming {
  /// What gives names to addresses of a process, which may see other files than this program.
  fileprivate func symbolicator(for process: TargetProcess) -> Symbolicator {
    symbolicator(root: process.filesAreShared ? "" : "/proc/\(process.pid)/root")
  }
}
