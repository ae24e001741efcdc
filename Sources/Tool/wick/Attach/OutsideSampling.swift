import Glibc
import WickRecording
import WickTarget

/// `wick attach --perf`: records a process from outside, where no agent can be.
enum OutsideSampling {
  /// What cannot be had together with it.
  private static let foreign = ["--engine", "--join", "--step", "--allow-seccomp"]
  /// What nobody sees from outside.
  private static let unseen = ["--alloc", "--arc", "--mmap"]

  static func run(
    _ arguments: Arguments, _ process: TargetProcess, rate: Int, limit: Duration?,
    _ outputs: RecordingOutputs
  ) throws -> Int32 {
    if let option = foreign.first(where: { arguments.has($0) }) {
      throw arguments.usage("'\(option)' concerns an agent in the process; '--perf' has none there")
    }
    if let option = unseen.first(where: { arguments.has($0) }) {
      throw arguments.usage(
        "'\(option)' needs the agent in the process; from outside, by '--perf', no memory is seen")
    }
    let sampler = try PerfSampler(
      process,
      PerfSampler.Settings(
        rateHertz: UInt32(rate), duration: limit, includesChildren: arguments.has("--children")))
    let session = try Session(beside: outputs.first)
    let signals = Interruption.block()
    if Terminal.isShown(STDERR_FILENO) {
      let end = limit == nil ? "; Ctrl-C ends it" : ""
      Console.note("sampling process \(process.pid) (\(process.name)) from outside\(end)")
    }
    var paths: [String] = []
    var live = LiveLine()
    do throws(RecordingWriteError) {
      _ = try sampler.run(
        to: { pid throws(RecordingWriteError) in
          let path = "\(session.folder)/\(pid).wick"
          let file = try RecordingFile(path: path)
          paths.append(path)
          return { bytes throws(RecordingWriteError) in try file.append(bytes) }
        },
        while: {
          live.show(paths)
          return !Interruption.take(signals)
        })
    } catch {
      throw Failure.failed(
        "cannot write to \(session.folder): \(Failure.reason(error.code)); what was recorded until "
          + "then is there; choose another place with -o")
    }
    live.clear()
    if !process.isAlive { Console.note("process \(process.pid) (\(process.name)) has ended") }
    try outputs.finish(
      session.recordings(mainPID: process.pid), session: session, subject: "the process")
    if arguments.has("--open"), let graph = outputs.flameGraph { Browser.open(graph) }
    return 0
  }
}
