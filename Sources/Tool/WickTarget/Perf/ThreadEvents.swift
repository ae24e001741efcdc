internal import CWickKernel
internal import Glibc

/// The perf events of all threads that are sampled.
struct ThreadEvents: ~Copyable {
  /// Samples per second of CPU time.
  let rateHertz: UInt32
  private(set) var settings: wick_perf_settings
  private var events: [Int32: ThreadEvent] = [:]
  /// Links of each process's folder of threads: two more than there are threads.
  private var linkCounts: [Int32: UInt64] = [:]
  private var ringByteCount = 0
  private var isEnabled = false
  /// Whether threads report what they make; there may be no memory for those rings.
  private var hasWatches = true
  /// What to wait for: the reports of threads and the end of the process; -1 if there is none.
  private let reports: Int32

  /// As many as the agent keeps.
  private static let frameLimit = 512
  /// All rings together, at first; memory that cannot be paged out.
  private static let ringBudget = 64 << 20
  /// No thread's id.
  private static let processKey: Int32 = 0
  /// What a record takes if its stack has 64 frames.
  private static let typicalRecordByteCount = 40 + 64 * 8

  /// Events that sample at a rate.
  init(rateHertz: UInt32) {
    self.rateHertz = rateHertz
    reports = wick_watch_create()
    let text = ProcFile.text("/proc/sys/kernel/perf_event_max_stack") ?? ""
    let limit = Int(text.prefix { $0 != "\n" }) ?? 127
    settings = wick_perf_settings(
      period_ns: 1_000_000_000 / UInt64(rateHertz),
      frame_limit: UInt16(min(limit, Self.frameLimit)), user_only: false)
  }

  deinit {
    if reports >= 0 { _ = Glibc.close(reports) }
  }

  /// All events.
  var all: [ThreadEvent] { Array(events.values) }

  /// Opens the events of all threads of a process, which count once they are enabled.
  ///
  /// - Throws: `TargetError` if that is not permitted or there are too many threads.
  mutating func open(_ target: TargetProcess) throws(TargetError) {
    Self.raiseDescriptorLimit()
    let threads = target.threads
    ringByteCount = Self.ringByteCount(rateHertz: rateHertz, threadCount: threads.count)
    while true {
      do throws(PerfRing.Failure) {
        try openAll(threads, of: target.pid)
        return
      } catch .open(let code) where (code == EACCES || code == EPERM) && !settings.user_only {
        // Without the kernel's part fewer rights are needed.
        settings.user_only = true
      } catch .map(EPERM) where ringByteCount > Int(getpagesize()) {
        // More than may be locked.
        ringByteCount /= 2
      } catch .map(EPERM) where hasWatches {
        hasWatches = false
      } catch {
        throw PerfRefusal(target: target, threadCount: threads.count).error(error)
      }
      events = [:]
    }
  }

  private mutating func openAll(_ threads: [Int32], of pid: Int32) throws(PerfRing.Failure) {
    for tid in threads {
      do throws(PerfRing.Failure) {
        try add(tid, of: pid)
      } catch .open(ESRCH) {
        continue
      }
    }
    guard !events.isEmpty else { throw .open(ESRCH) }
  }

  /// Lets all events count, and those that come.
  mutating func enable() {
    isEnabled = true
    for event in events.values { event.enable(true) }
  }

  /// Lets no event count any more.
  mutating func disable() {
    isEnabled = false
    for event in events.values { event.enable(false) }
  }

  /// Whether a process has more or fewer threads than at the last such look.
  mutating func hasChanged(_ pid: Int32) -> Bool {
    let count = ProcFile.linkCount("/proc/\(pid)/task")
    guard linkCounts[pid] != count else { return false }
    linkCounts[pid] = count
    return true
  }

  /// Opens the events of a process's threads that have none; returns how many could not be armed.
  mutating func arm(_ pid: Int32) -> Int {
    let threads = ProcFile.names(in: "/proc/\(pid)/task").compactMap { Int32($0) }
    return threads.count { !arm($0, of: pid) }
  }

  /// Opens the event of a thread unless it has one; false if that was not possible.
  mutating func arm(_ tid: Int32, of pid: Int32) -> Bool {
    guard events[tid] == nil else { return true }
    do throws(PerfRing.Failure) {
      try add(tid, of: pid)
      return true
    } catch .open(ESRCH) {
      return true
    } catch {
      return false
    }
  }

  /// What there was to wait for.
  enum Report {
    /// Nothing, or only threads, which are armed now.
    case none
    /// A process was made.
    case forked
    /// The process that is watched has ended.
    case ended
  }

  /// Lets the end of a process be reported.
  func watch(process descriptor: Int32) {
    wick_watch_add(reports, descriptor, Self.processKey)
  }

  /// Waits for a report, and arms the threads that it tells of.
  mutating func wait(milliseconds: Int32) -> Report {
    var (tid, isOver) = (Int32(0), false)
    guard reports >= 0 else {
      poll(nil, 0, milliseconds)
      return .none
    }
    guard unsafe wick_watch_next(reports, milliseconds, &tid, &isOver) else { return .none }
    if tid == Self.processKey { return .ended }
    guard let event = events[tid] else { return .none }
    var bytes: [UInt8] = []
    event.takeReports(&bytes)
    // A thread that has ended would be reported again and again.
    if isOver { event.closeWatch() }
    var report = Report.none
    var offset = 0
    let span = unsafe bytes.span.bytes
    while let record = PerfRecord(span, at: offset) {
      offset = record.range.upperBound
      guard case .fork(let tid, let pid, let parent) = record.content(span) else { continue }
      if pid == parent { _ = arm(tid, of: pid) } else { report = .forked }
    }
    return report
  }

  private mutating func add(_ tid: Int32, of pid: Int32) throws(PerfRing.Failure) {
    let event = try ThreadEvent(
      tid: tid, pid: pid, settings, ringByteCount: ringByteCount, isWatched: hasWatches)
    events[tid] = event
    if let descriptor = event.watchDescriptor { wick_watch_add(reports, descriptor, tid) }
    if isEnabled { event.enable(true) }
  }

  /// Closes an event; returns the CPU time that it counted.
  mutating func close(_ event: ThreadEvent) -> UInt64 {
    events[event.tid] = nil
    return event.settle()
  }

  /// Closes the events of a process, all but one; returns the CPU time that all of them counted.
  mutating func close(_ pid: Int32, but kept: ThreadEvent? = nil) -> UInt64 {
    var counted: UInt64 = 0
    for event in events.values where event.pid == pid {
      events[event.tid] = nil
      counted += event.settle()
    }
    if let kept {
      // What it reports is known by its old id.
      if kept.tid != pid { kept.closeWatch() }
      kept.tid = pid
      events[pid] = kept
    }
    return counted
  }

  /// Closes the events of threads that are gone though their end was not reported.
  mutating func closeGone(_ pid: Int32) -> UInt64 {
    let threads = Set(ProcFile.names(in: "/proc/\(pid)/task").compactMap { Int32($0) })
    var counted: UInt64 = 0
    for event in events.values where event.pid == pid && !threads.contains(event.tid) {
      counted += close(event)
    }
    return counted
  }

  /// Room for the records of half a second, or an even part of the budget; a power of two.
  static func ringByteCount(rateHertz: UInt32, threadCount: Int) -> Int {
    let wanted = min(
      Int(rateHertz) * typicalRecordByteCount / 2, ringBudget / max(threadCount, 1))
    let page = Int(getpagesize())
    return max(page, 1 << (Int.bitWidth - 1 - wanted.leadingZeroBitCount))
  }

  /// An event is a descriptor.
  private static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
