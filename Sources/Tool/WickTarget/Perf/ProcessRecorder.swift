internal import CWickFormat
internal import Glibc
internal import WickProfile
internal import WickRecording

/// Writes the segment of one process image from its records.
final class ProcessRecorder {
  /// What all segments of a recording have in common.
  struct Setup {
    var rateHertz: UInt32
    var periodNanoseconds: UInt32
    var isUserOnly: Bool
    /// Frames that the kernel walks at most.
    var frameLimit: Int
  }

  let pid: Int32
  /// Takes the segment.
  let sink: RecordingWriter.Sink
  private let setup: Setup
  private let startNanoseconds: UInt64
  /// What the process had used before; nil where that cannot be told.
  private let startCPUNanoseconds: UInt64
  private var writer: RecordingWriter
  private(set) var code: CodeMap
  private var moduleIDs: [Int: RecordingWriter.ModuleID] = [:]
  private var threads: [Int32: RecordingWriter.ThreadID] = [:]
  /// Stacks by a hash of their runtime addresses, as long as those mean the same.
  private var knownStacks: [UInt64: RecordingWriter.StackID] = [:]
  private var nextRefresh: UInt64 = 0

  /// Weight lost as a ring was full, and as no more stacks can be kept.
  var lostRingFull: UInt64 = 0
  private var lostStackTable: UInt64 = 0
  /// Threads that exist and could not be armed.
  var unarmedThreads = 0
  /// CPU time that the events of threads that ended have counted.
  var countedNanoseconds: UInt64 = 0
  private var framePointerSteps: UInt64 = 0
  private(set) var cpuNanoseconds: UInt64 = 0

  /// A look at the mappings costs some milliseconds in large processes.
  private static let refreshPause: UInt64 = 250_000_000
  /// More are forgotten: they are a cache.
  private static let stackCacheLimit = 1 << 17

  /// Begins a segment.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - setup: What its header says.
  ///   - code: Where it has code.
  ///   - isNew: Whether the process began while it was watched.
  ///   - sink: Takes the segment.
  /// - Throws: What the sink throws.
  init(
    pid: Int32, _ setup: Setup, code: CodeMap, isNew: Bool, to sink: @escaping RecordingWriter.Sink
  ) throws(RecordingWriteError) {
    self.pid = pid
    self.sink = sink
    self.setup = setup
    self.code = code
    startNanoseconds = KernelClock.monotonic
    startCPUNanoseconds = isNew ? 0 : KernelClock.processCPU(pid) ?? 0
    writer = try RecordingWriter(
      RecordingWriter.Start(
        pid: UInt32(pid), processStartTicks: TargetProcess.startTicks(of: pid) ?? 0,
        engine: .perfOutside, rateHertz: setup.rateHertz,
        periodNanoseconds: setup.periodNanoseconds, isUserOnly: setup.isUserOnly,
        realtimeNanoseconds: KernelClock.realtime, monotonicNanoseconds: startNanoseconds), to: sink
    )
    try writer.add(info: facts)
  }

  /// Whether the process has not ended.
  var isAlive: Bool {
    TargetProcess.startTicks(of: pid) != nil && TargetProcess.exitStatus(of: pid) == nil
  }

  /// Totals of what was written.
  var totals: RecordingWriter.Totals { writer.totals }

  /// All weight that was lost.
  var lostWeight: UInt64 { lostRingFull + lostStackTable }

  /// Notes that code was mapped.
  func insert(_ mapping: CodeMapping) {
    code.insert(mapping)
    knownStacks.removeAll()
  }

  /// Notes a thread's name.
  func name(_ tid: Int32, _ name: String) throws(RecordingWriteError) {
    if let thread = threads[tid] { try writer.rename(thread, to: name) }
  }

  /// Notes that a thread ended: its id may be another's later.
  func forget(_ tid: Int32) {
    threads[tid] = nil
  }

  /// Adds a sample.
  ///
  /// - Parameters:
  ///   - tid: The thread.
  ///   - time: By CLOCK_MONOTONIC.
  ///   - frames: Place of the runtime addresses in `bytes`, leaf first.
  ///   - bytes: The records.
  /// - Throws: What the sink throws.
  func addSample(
    of tid: Int32, at time: UInt64, frames: Range<Int>, in bytes: RawSpan
  ) throws(RecordingWriteError) {
    guard let stack = try stack(frames, in: bytes) else {
      lostStackTable += 1
      return
    }
    let elapsed = time > startNanoseconds ? time - startNanoseconds : 0
    try writer.add(stack, of: try thread(tid), at: elapsed)
    // All callers are found that way.
    framePointerSteps += frames.count > 8 ? 1 : 0
  }

  /// Writes what is pending.
  func flush() throws(RecordingWriteError) {
    try writer.flush()
  }

  /// Looks at the process's CPU clock, as long as there is one.
  func lookAtClock() {
    guard let used = KernelClock.processCPU(pid) else { return }
    cpuNanoseconds = max(cpuNanoseconds, used &- min(startCPUNanoseconds, used))
  }

  /// Writes the totals so far.
  func writeStatistics() throws(RecordingWriteError) {
    try writer.add(statistics: [
      (.lostRingFull, lostRingFull), (.lostStackTable, lostStackTable),
      (.framePointerSteps, framePointerSteps), (.processCPUNanoseconds, cpuNanoseconds),
      (.unarmedThreads, UInt64(unarmedThreads)),
    ])
  }

  /// Ends the segment.
  func end(_ reason: EndReason) throws(RecordingWriteError) {
    // A process that is gone has no clock; what its threads used is known from their events.
    cpuNanoseconds = max(cpuNanoseconds, countedNanoseconds)
    try writer.flush()
    try writeStatistics()
    try writer.end(reason, at: KernelClock.monotonic - startNanoseconds)
  }

  private var facts: [(key: String, value: String)] {
    let kernel = ProcFile.text("/proc/sys/kernel/osrelease") ?? ""
    let command = ProcFile.bytes("/proc/\(pid)/cmdline", limit: 4096) ?? []
    let words = command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    let facts = [
      ("agent", "wick \(WICK_VERSION)"), ("command", words.joined(separator: " ")),
      ("executable", ProcFile.link("/proc/\(pid)/exe") ?? ""),
      ("engine", "perf task-clock from outside, frame pointers only"),
      ("kernel", String(kernel.prefix { $0 != "\n" })),
      ("cpus", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"),
    ]
    return facts.filter { !$0.1.isEmpty }.map { (key: $0.0, value: $0.1) }
  }

  private func thread(_ tid: Int32) throws(RecordingWriteError) -> RecordingWriter.ThreadID {
    if let known = threads[tid] { return known }
    let name = ProcFile.text("/proc/\(pid)/task/\(tid)/comm") ?? ""
    let thread = try writer.define(thread: UInt32(tid), name: String(name.prefix { $0 != "\n" }))
    threads[tid] = thread
    return thread
  }

  private func stack(
    _ frames: Range<Int>, in bytes: RawSpan
  ) throws(RecordingWriteError) -> RecordingWriter.StackID? {
    var hash: UInt64 = 0
    for place in stride(from: frames.lowerBound, to: frames.upperBound, by: 8) {
      hash = (hash ^ bytes.load(place, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
    }
    if let known = knownStacks[hash] { return known }
    if knownStacks.count >= Self.stackCacheLimit { knownStacks.removeAll() }
    let addresses = stride(from: frames.lowerBound, to: frames.upperBound, by: 8).map {
      bytes.load($0, as: UInt64.self)
    }
    let (recorded, truncation) = try resolve(addresses)
    let stack = try writer.define(stack: recorded, truncation: truncation)
    knownStacks[hash] = stack
    return stack
  }

  /// The frames of runtime addresses, up to the first that cannot be one.
  private func resolve(
    _ addresses: [UInt64]
  ) throws(RecordingWriteError) -> ([RecordedFrame], TruncationReason?) {
    // A thread on its way out has no memory left to walk through.
    guard !addresses.isEmpty else { return ([], .memory) }
    var frames: [RecordedFrame] = []
    for (index, address) in addresses.enumerated() {
      let isLeaf = index == 0
      let kind: RecordedFrameKind = isLeaf ? .instruction : .returnAddress
      // A return address can be the first byte after its module: the call is before it.
      switch place(at: isLeaf ? address : address &- 1) {
      case .module(let module)?:
        let relative = address &- code.modules[module].loadBias
        frames.append(RecordedFrame(module: try id(of: module), address: relative, kind: kind))
      case .noModule?:
        frames.append(RecordedFrame(module: nil, address: address, kind: kind))
      case nil where isLeaf:
        frames.append(RecordedFrame(module: nil, address: address, kind: kind))
      case nil:
        return (frames, .badFrame)
      }
    }
    return (frames, addresses.count >= setup.frameLimit ? .depth : nil)
  }

  /// What code an address is of, after another look at the process if it is of none.
  private func place(at address: UInt64) -> CodeMap.Place? {
    if let known = code.place(at: address) { return known }
    let now = KernelClock.monotonic
    guard now >= nextRefresh else { return nil }
    nextRefresh = now + Self.refreshPause
    guard code.refresh() else { return nil }
    knownStacks.removeAll()
    return code.place(at: address)
  }

  private func id(of module: Int) throws(RecordingWriteError) -> RecordingWriter.ModuleID {
    if let known = moduleIDs[module] { return known }
    let id = try writer.define(code.modules[module])
    moduleIDs[module] = id
    return id
  }
}
