internal import CWickAgent
internal import Glibc

/// Records the calling process: where its CPU time goes, thread by thread, and on request its memory.
///
/// ```swift
/// try Wick.start(output: "server-%p.wick")
/// defer { Wick.stop() }
/// ```
///
/// A program that links this module can also be started with `WICK=on` (or
/// `WICK=out=FILE,hz=99,engine=auto,alloc=512k`) in its environment and no call at all. Unset means
/// off.
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

  /// Which allocations are followed, from malloc and its kin to their free.
  public enum Allocations: Hashable, Sendable {
    /// Some, chosen at random, with a chance that grows with their size.
    ///
    /// `every` is the mean number of bytes between two of them, 1…2⁴⁰. What is reported are unbiased
    /// estimates of all: for a call site that allocated `b` bytes, with a relative standard error of
    /// √(`every` / `b`). The default of 512 KiB is cheap enough for production.
    case sampled(every: Int = 512 << 10)
    /// All of them: exact, and several times dearer.
    case every

    fileprivate var interval: UInt64? {
      switch self {
      case .sampled(let bytes):
        UInt64(exactly: bytes).flatMap { 1...WICK_ALLOCATION_MAXIMUM_BYTES ~= $0 ? $0 : nil }
      case .every: WICK_ALLOCATION_EVERY
      }
    }
  }

  /// Why the allocations that are followed could not be changed; they are followed as before.
  public enum AllocationsError: Error, Equatable {
    /// No recording is under way.
    case notRunning
    /// The mean number of bytes is not in 1…2⁴⁰.
    case intervalOutOfRange
    /// The kernel refused memory, for this `errno`.
    case noResources(errno: Int32)
  }

  /// Why a recording could not be started.
  public enum StartError: Error, Equatable {
    /// A recording is under way; it goes on as it was.
    case alreadyRunning
    /// The rate is not in 1…10,000 Hz.
    case rateOutOfRange
    /// The mean number of bytes between allocations is not in 1…2⁴⁰.
    case intervalOutOfRange
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
  ///   - allocations: Which allocations are followed beside; nil: none. `setAllocations(_:)` changes it.
  ///   - countsReferences: Whether retains and releases of Swift objects are counted, by type and
  ///     stack. Left out where the Swift runtime is not one that is known to bear it.
  ///   - followsMappings: Whether mmap and munmap count as allocations, if any are followed.
  /// - Throws: `StartError`; the program is unharmed and goes on unrecorded.
  public static func start(
    output: String = "wick-%p.wick", rate: Int = 99, engine: Engine = .best,
    duration: Duration? = nil, allocations: Allocations? = nil, countsReferences: Bool = false,
    followsMappings: Bool = false
  ) throws(StartError) {
    let rates = Int(WICK_RATE_MINIMUM_HZ)...Int(WICK_RATE_MAXIMUM_HZ)
    guard rates.contains(rate) else { throw .rateOutOfRange }
    guard let interval = interval(of: allocations) else { throw .intervalOutOfRange }
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
      unsafe options.allocation_interval = interval
      unsafe options.counts_references = countsReferences
      unsafe options.follows_mappings = followsMappings
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

  /// As in `AgentOptions`; nil if it is out of range.
  private static func interval(of allocations: Allocations?) -> UInt64? {
    guard let allocations else { return 0 }
    return allocations.interval
  }

  /// Changes which allocations are followed from now on, in the recording that is under way.
  ///
  /// What is followed already stays so until it is freed, so live bytes stay right.
  ///
  /// - Parameter allocations: nil: none any more.
  /// - Throws: `AllocationsError`; nothing was changed.
  public static func setAllocations(_ allocations: Allocations?) throws(AllocationsError) {
    guard let interval = interval(of: allocations) else { throw .intervalOutOfRange }
    switch wick_set_allocation_interval(interval) {
    case .ok: return
    case .badOption: throw .intervalOutOfRange
    case .noResources: throw .noResources(errno: errno)
    case .notRunning, .alreadyRunning, .cannotOpen, .noEngine: throw .notRunning
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
