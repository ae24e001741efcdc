/// How a profile was taken and what was lost on the way; shown in every output.
public struct Origin: Hashable, Sendable {
  /// A thread that could not be sampled.
  public struct BlockedThread: Hashable, Sendable {
    /// Thread id.
    public var tid: UInt32
    /// The thread's name.
    public var name: String
    /// CPU time that it used since it was found.
    public var cpuNanoseconds: UInt64

    /// Creates a thread.
    public init(tid: UInt32, name: String, cpuNanoseconds: UInt64) {
      self.tid = tid
      self.name = name
      self.cpuNanoseconds = cpuNanoseconds
    }
  }

  /// One process image (a segment of a recording).
  public struct Process: Hashable, Sendable {
    /// Process id.
    public var pid: UInt32
    /// Facts as recorded, such as `command`, `executable`, `engine` and `fallback`.
    public var info: [String: String] = [:]
    /// Running totals as recorded, by the name of the statistic (`RecordedStatistic`).
    public var statistics: [String: UInt64] = [:]
    /// Why the recording ended (`EndReason` by name); nil where it was cut short.
    public var endReason: String?
    /// Threads that blocked the sampling signal, so that no sample is of them.
    public var blockedThreads: [BlockedThread] = []
    /// Whether time spent in the kernel was left out.
    public var isUserOnly = false
    /// What was recorded of its memory; nil where allocations were not.
    public var heap: HeapHistory?

    /// Creates a process.
    public init(pid: UInt32) {
      self.pid = pid
    }

    /// The program's name: the last component of its executable or of its command's first word.
    public var name: Substring? {
      let path =
        info["executable"].map { Substring($0) }
        ?? info["command"]?.split(separator: " ", maxSplits: 1).first
      return path?.split(separator: "/").last
    }
  }

  /// What was chosen of a larger profile, and by which patterns (`FramePattern.text`).
  public struct Excerpt: Hashable, Sendable {
    /// Only stacks that match each of these.
    public var focus: [String] = []
    /// No stacks that match any of these.
    public var ignore: [String] = []
    /// Frames that were left out.
    public var hide: [String] = []
    /// Those patterns that nothing matches.
    public var unmatched: [String] = []
    /// The accounts of the whole.
    public let accounting: SampleAccounting
    /// Sum of each column of the whole.
    public let totals: [Int64]
  }

  /// The processes, in file order; empty for text formats.
  public var processes: [Process] = []
  /// Requested rate in samples per CPU-second; 0 where not known.
  public var rateHertz: UInt32 = 0
  /// CPU time per unit of weight; 0 where not known.
  public var periodNanoseconds: UInt32 = 0
  /// When the recording began, since 1970; 0 where not known.
  public var startRealtimeNanoseconds: UInt64 = 0
  /// Length of the recording.
  public var durationNanoseconds: UInt64 = 0
  /// Whether the source was cut or damaged, so that samples are missing; `warnings` says where.
  public var isIncomplete = false
  /// What a reader has to tell the user, one sentence each ("cut at byte 4711: …").
  public var warnings: [String] = []
  /// What of the recording is left in the profile; nil for all of it.
  public var excerpt: Excerpt?

  /// Creates an empty origin.
  public init() {}

  /// The sum of a statistic over all processes, saturating.
  public func statistic(_ name: String) -> UInt64 {
    processes.reduce(0) { sum, process in
      let (total, overflow) = sum.addingReportingOverflow(process.statistics[name] ?? 0)
      return overflow ? .max : total
    }
  }
}
