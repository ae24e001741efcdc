public import CWickFormat
internal import CWickKernel
internal import Glibc
public import WickRecording

/// Samples a process from outside: the kernel walks its stacks, and nothing is brought into it.
///
/// Each thread has a perf task-clock event of its own, which counts on all CPUs; a second one reports
/// the threads that it makes, which are armed then. (Events that threads inherit must be one for each
/// thread and CPU to have a ring, and each loses half a period on average: with many CPUs, nearly
/// all samples.) Callers are found by frame pointers only.
public struct PerfSampler: ~Copyable {
  /// What is to be recorded.
  public struct Settings: Sendable {
    /// Samples per second of CPU time, 1 to 10,000.
    public var rateHertz: UInt32
    /// How long at most; nil for until it is stopped or the process ends.
    public var duration: Duration?
    /// Whether processes that this one makes are recorded too, each into a sink of its own.
    public var includesChildren: Bool

    /// Creates settings.
    public init(
      rateHertz: UInt32 = 99, duration: Duration? = nil, includesChildren: Bool = false
    ) {
      self.rateHertz = rateHertz
      self.duration = duration
      self.includesChildren = includesChildren
    }
  }

  /// Gives the sink of a process's segments; the target's is asked for first.
  public typealias Sinks = (_ pid: UInt32) throws(RecordingWriteError) -> RecordingWriter.Sink

  /// What was recorded.
  public struct Outcome: Sendable {
    /// Why the target's recording ended.
    public var endReason: EndReason = .stopped
    /// Of all processes.
    public var totals = RecordingWriter.Totals()
    /// Weight that was lost.
    public var lostWeight: UInt64 = 0
    /// Threads that could not be sampled at the end.
    public var unarmedThreads = 0
    /// How often the kernel held samples back, as they came too fast.
    public var throttles = 0
    /// CPU time that the processes used meanwhile.
    public var processCPUNanoseconds: UInt64 = 0
    /// CPU time that this program used meanwhile.
    public var ownCPUNanoseconds: UInt64 = 0
  }

  /// How often rings are emptied and new threads are looked for.
  static let lookMilliseconds: Int32 = 20
  /// Between two writes.
  private static let flushNanoseconds: UInt64 = 100_000_000
  /// Between two looks at what changes slowly.
  private static let slowNanoseconds: UInt64 = 2_000_000_000

  /// Whether time spent in the kernel is left out, as this user may not see it.
  public var isUserOnly: Bool { events.settings.user_only }

  private let target: TargetProcess
  private let settings: Settings
  private var events: ThreadEvents
  private var recorders: [Int32: ProcessRecorder] = [:]
  private var outcome = Outcome()

  /// Prepares to sample a process.
  ///
  /// - Parameters:
  ///   - target: The process.
  ///   - settings: What is to be recorded.
  /// - Throws: `TargetError` if that is not permitted or there are too many threads.
  public init(_ target: TargetProcess, _ settings: Settings = Settings()) throws(TargetError) {
    self.target = target
    self.settings = settings
    events = ThreadEvents(rateHertz: min(max(settings.rateHertz, 1), 10_000))
    try events.open(target)
  }

  /// Samples until the process ends, the duration is over or nobody wants more.
  ///
  /// - Parameters:
  ///   - sinks: Takes the recording.
  ///   - isWanted: Asked some fifty times a second.
  /// - Returns: What was recorded.
  /// - Throws: `RecordingWriteError` if a sink failed; what was written until then has an end if
  ///   that could still be written.
  public consuming func run(
    to sinks: Sinks, while isWanted: () -> Bool
  ) throws(RecordingWriteError) -> Outcome {
    let ownCPU = wick_own_cpu_ns()
    let watch = wick_process_watch(target.pid)
    defer { if watch >= 0 { close(watch) } }
    events.watch(process: watch)
    do throws(RecordingWriteError) {
      try begin(target.pid, code: CodeMap(pid: target.pid), isNew: false, sinks)
      if settings.includesChildren { try beginDescendants(of: target.pid, sinks) }
      let deadline = settings.duration.map { KernelClock.monotonic + $0.nanoseconds } ?? .max
      outcome.endReason = try loop(until: deadline, watch: watch, sinks, while: isWanted)
      events.disable()
      for recorder in recorders.values { recorder.lookAtClock() }
      try drain(sinks)
      // Processes that outlive the target go on unwatched.
      let reason = outcome.endReason == .duration ? EndReason.duration : .stopped
      for pid in recorders.keys.sorted() where pid != target.pid {
        try end(pid, recorders[pid]?.isAlive == true ? reason : .exited)
      }
      try end(target.pid, outcome.endReason)
    } catch {
      // Where there is no room for a chunk, there may be for a few bytes.
      for recorder in recorders.values { try? recorder.end(error.endReason) }
      throw error
    }
    outcome.ownCPUNanoseconds = wick_own_cpu_ns() - ownCPU
    return outcome
  }

  /// Records until there is a reason to end.
  private mutating func loop(
    until deadline: UInt64, watch: Int32, _ sinks: Sinks, while isWanted: () -> Bool
  ) throws(RecordingWriteError) -> EndReason {
    events.enable()
    try look(sinks)
    var nextFlush: UInt64 = 0
    var nextSlowLook = KernelClock.monotonic + Self.slowNanoseconds
    while true {
      if wait() || watch < 0 && !target.isAlive {
        // Records of the end are complete once the process is seen to have ended.
        try look(sinks)
        return endReason(watch)
      }
      let now = KernelClock.monotonic
      guard now < deadline else { return .duration }
      guard isWanted() else { return .stopped }
      try look(sinks)
      for recorder in recorders.values { recorder.lookAtClock() }
      if now >= nextFlush {
        nextFlush = now + Self.flushNanoseconds
        for recorder in recorders.values { try recorder.flush() }
      }
      if now >= nextSlowLook {
        nextSlowLook = now + Self.slowNanoseconds
        try lookSlowly()
      }
    }
  }

  /// Sleeps until the next look, and arms threads that are made meanwhile.
  ///
  /// - Returns: Whether the process has ended.
  private mutating func wait() -> Bool {
    let end = KernelClock.monotonic + UInt64(Self.lookMilliseconds) * 1_000_000
    while true {
      let now = KernelClock.monotonic
      guard now < end else { return false }
      switch events.wait(milliseconds: Int32((end - now) / 1_000_000) + 1) {
      case .ended: return true
      case .forked where settings.includesChildren: return false
      case .forked, .none: break
      }
    }
  }

  private func endReason(_ watch: Int32) -> EndReason {
    let known = wick_process_exit_status(watch)
    let status = known >= 0 ? known : TargetProcess.exitStatus(of: target.pid) ?? 0
    // WIFSIGNALED.
    return status & 0x7f != 0 ? .killed : .exited
  }

  /// Begins the segment of a process image.
  private mutating func begin(
    _ pid: Int32, code: CodeMap, isNew: Bool, _ sinks: Sinks
  ) throws(RecordingWriteError) {
    let sink: RecordingWriter.Sink
    if let earlier = recorders[pid]?.sink { sink = earlier } else { sink = try sinks(UInt32(pid)) }
    recorders[pid] = try ProcessRecorder(
      pid: pid,
      ProcessRecorder.Setup(
        rateHertz: events.rateHertz, periodNanoseconds: UInt32(events.settings.period_ns),
        isUserOnly: isUserOnly, frameLimit: Int(events.settings.frame_limit)),
      code: code, isNew: isNew, to: sink)
  }

  /// Begins the segments of the processes that a process has made before.
  private mutating func beginDescendants(
    of pid: Int32, _ sinks: Sinks
  ) throws(RecordingWriteError) {
    for child in TargetProcess.children(of: pid) where recorders[child] == nil {
      try begin(child, code: CodeMap(pid: child), isNew: false, sinks)
      recorders[child]?.unarmedThreads = events.arm(child)
      try beginDescendants(of: child, sinks)
    }
  }

  /// Ends the recording of a process.
  private mutating func end(_ pid: Int32, _ reason: EndReason) throws(RecordingWriteError) {
    guard let recorder = recorders.removeValue(forKey: pid) else { return }
    recorder.countedNanoseconds += events.close(pid)
    try end(recorder, reason)
  }

  /// Ends the segment of a process image.
  private mutating func end(
    _ recorder: ProcessRecorder, _ reason: EndReason
  ) throws(RecordingWriteError) {
    try recorder.end(reason)
    outcome.totals.samples += recorder.totals.samples
    outcome.totals.weight += recorder.totals.weight
    outcome.totals.truncated += recorder.totals.truncated
    outcome.totals.threads += recorder.totals.threads
    outcome.lostWeight += recorder.lostWeight
    outcome.unarmedThreads += recorder.unarmedThreads
    outcome.processCPUNanoseconds += recorder.cpuNanoseconds
  }

  /// Empties the rings and arms new threads.
  private mutating func look(_ sinks: Sinks) throws(RecordingWriteError) {
    try drain(sinks)
    for recorder in recorders.values where events.hasChanged(recorder.pid) {
      recorder.unarmedThreads = events.arm(recorder.pid)
    }
  }

  private mutating func lookSlowly() throws(RecordingWriteError) {
    for recorder in recorders.values {
      recorder.countedNanoseconds += events.closeGone(recorder.pid)
      recorder.unarmedThreads = events.arm(recorder.pid)
      try recorder.writeStatistics()
    }
    for (pid, recorder) in recorders where pid != target.pid && !recorder.isAlive {
      try end(pid, .exited)
    }
  }

  /// Takes what is in the rings, in the order of time.
  private mutating func drain(_ sinks: Sinks) throws(RecordingWriteError) {
    let drained = events.all
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for event in drained {
      event.take(&bytes)
      ends.append(bytes.count)
    }
    let span = unsafe bytes.span.bytes
    var records: [(time: UInt64, record: PerfRecord, event: ThreadEvent)] = []
    var offset = 0
    for (event, end) in zip(drained, ends) {
      while offset < end, let record = PerfRecord(span, at: offset) {
        records.append((record.time(span), record, event))
        offset = record.range.upperBound
      }
      offset = end
    }
    records.sort { $0.time < $1.time }
    for (time, record, event) in records {
      try add(record.content(span), at: time, of: event, span, sinks)
    }
    for event in drained where event.isEnded {
      recorders[event.pid]?.countedNanoseconds += events.close(event)
    }
  }

  private mutating func add(
    _ content: PerfRecord.Content, at time: UInt64, of event: ThreadEvent, _ bytes: RawSpan,
    _ sinks: Sinks
  ) throws(RecordingWriteError) {
    switch content {
    case .sample(let tid, let pid, let frames):
      try recorders[pid]?.addSample(of: tid, at: time, frames: frames, in: bytes)
    case .mapping(let pid, let mapping):
      recorders[pid]?.insert(mapping)
    case .name(let tid, let pid, let name, let isExec):
      if isExec { try becomeAnother(pid, of: event, sinks) }
      try recorders[pid]?.name(tid, name)
    case .fork(let tid, let pid, let parent) where pid == parent:
      recorders[pid]?.unarmedThreads += events.arm(tid, of: pid) ? 0 : 1
    case .fork(_, let pid, let parent):
      guard settings.includesChildren, recorders[pid] == nil, let code = recorders[parent]?.code
      else { return }
      try begin(pid, code: CodeMap(pid: pid, copying: code), isNew: true, sinks)
      recorders[pid]?.unarmedThreads = events.arm(pid)
    case .exit(let tid):
      event.isEnded = event.isEnded || tid == event.tid
      recorders[event.pid]?.forget(tid)
    case .lost(let count):
      recorders[event.pid]?.lostRingFull += count
    case .throttled:
      outcome.throttles += 1
    case .other:
      break
    }
  }

  /// Ends a process image and begins the next: of its threads, one goes on as the only one.
  private mutating func becomeAnother(
    _ pid: Int32, of event: ThreadEvent, _ sinks: Sinks
  ) throws(RecordingWriteError) {
    guard let recorder = recorders[pid] else { return }
    recorder.lookAtClock()
    recorder.countedNanoseconds += events.close(pid, but: event)
    try end(recorder, .exec)
    try begin(pid, code: CodeMap(pid: pid), isNew: false, sinks)
  }
}

extension Duration {
  /// Whole nanoseconds, none if negative.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max / 2 : whole + UInt64(attoseconds) / 1_000_000_000
  }
}
