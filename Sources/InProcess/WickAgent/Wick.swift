internal import CWickAgent
internal import Glibc

/// Records the calling process: where its CPU time goes, thread by thread.
///
/// ```swift
/// try Wick.start(output: "server-%p.wick")
/// defer { Wick.stop() }
/// ```
///
/// A program that links this module can also be started with `WICK=on` (or
/// `WICK=out=FILE,hz=99,engine=auto`) in its environment and no call at all. Unset means off.
public enum Wick {
  /// What triggers the samples.
  public enum Engine: Hashable, Sendable {
    /// The best that works here.
    case best
    /// perf task-clock events by SIGTRAP: exact, new threads covered; not permitted in many containers.
    case perf
    /// perf task-clock events by SIGPROF: as exact, dearer; where a debugger has SIGTRAP.
    case perfSignal
    /// Per-thread CPU timers: always permitted; at most 250 or 1,000 signals a CPU-second, weighted.
    case timer
    /// The process's one CPU timer: by process, not by thread. The last resort.
    case processTimer

    fileprivate var choice: EngineChoice {
      switch self {
      case .best: .best
      case .perf: .perf
      case .perfSignal: .perfSignal
      case .timer: .timer
      case .processTimer: .processTimer
      }
    }
  }

  /// Why a recording could not be started.
  public enum StartError: Error, Equatable {
    /// A recording is under way; it goes on as it was.
    case alreadyRunning
    /// The rate is not in 1…10,000 Hz.
    case rateOutOfRange
    /// The recording could not be created, for this `errno`.
    case cannotCreate(errno: Int32)
    /// No trigger works here, for this `errno` of the last one tried.
    case noEngine(errno: Int32)
    /// The kernel refused memory or a thread, for this `errno`.
    case noResources(errno: Int32)
  }

  /// Starts a recording; sampling is on when this returns.
  ///
  /// - Parameters:
  ///   - output: Path of the recording; `%p` in it becomes the process id.
  ///   - rate: Samples per second of each thread's CPU time, 1…10,000.
  ///   - engine: The trigger; `.best` takes the best that works here.
  ///   - duration: Stops by itself after this time; nil records until `stop()` or exit.
  /// - Throws: `StartError`; the program is unharmed and goes on unrecorded.
  public static func start(
    output: String = "wick-%p.wick", rate: Int = 99, engine: Engine = .best,
    duration: Duration? = nil
  ) throws(StartError) {
    let rates = Int(WICK_RATE_MINIMUM_HZ)...Int(WICK_RATE_MAXIMUM_HZ)
    guard rates.contains(rate) else { throw .rateOutOfRange }
    var milliseconds: UInt64 = 0
    if let duration {
      let (seconds, attoseconds) = duration.components
      let whole = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1000)
      let parts = UInt64(clamping: attoseconds / 1_000_000_000_000_000)
      milliseconds = whole.overflow ? .max : max(1, whole.partialValue &+ parts)
    }
    let (result, code) = unsafe output.withCString { path in
      var options = unsafe AgentOptions()
      unsafe options.output = path
      unsafe options.rate_hz = UInt32(rate)
      unsafe options.engine = engine.choice
      unsafe options.duration_ms = milliseconds
      let result = unsafe wick_start(&options)
      return (result, errno)
    }
    switch result {
    case .ok: return
    case .alreadyRunning: throw .alreadyRunning
    case .badOption: throw .rateOutOfRange
    case .cannotOpen: throw .cannotCreate(errno: code)
    case .noEngine: throw .noEngine(errno: code)
    case .noResources, .notRunning: throw .noResources(errno: code)
    }
  }

  /// Stops the recording and closes its file.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public static func stop() -> Bool {
    wick_stop() == .ok
  }

  /// Whether a recording is under way in this process.
  public static var isRunning: Bool { wick_is_running() }
}
