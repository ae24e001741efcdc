public import CWickFormat
public import WickProfile

/// Writes one segment of a recording, as `wick_format.h` specifies it and `Recording` reads it.
///
/// Definitions and samples are collected until `flush`, or until a chunk is full; whole chunks with
/// their checksums go to the sink. A stack that is known costs a few bytes a sample.
public struct RecordingWriter: ~Copyable {
  /// Takes a header or whole chunks; all of the bytes, or none if it throws.
  public typealias Sink = (RawSpan) throws(RecordingWriteError) -> Void

  /// What a segment's header says.
  public struct Start: Sendable {
    /// Process id.
    public var pid: UInt32
    /// Field 22 of `/proc/PID/stat`.
    public var processStartTicks: UInt64
    /// How the samples are taken.
    public var engine: RecordedEngine
    /// Requested samples per second of CPU time.
    public var rateHertz: UInt32
    /// CPU time that one unit of weight stands for.
    public var periodNanoseconds: UInt32
    /// Whether time spent in the kernel is left out.
    public var isUserOnly: Bool
    /// CLOCK_REALTIME at the origin of sample times.
    public var realtimeNanoseconds: UInt64
    /// CLOCK_MONOTONIC at the origin of sample times.
    public var monotonicNanoseconds: UInt64

    /// Creates a start.
    public init(
      pid: UInt32, processStartTicks: UInt64, engine: RecordedEngine, rateHertz: UInt32,
      periodNanoseconds: UInt32, isUserOnly: Bool, realtimeNanoseconds: UInt64,
      monotonicNanoseconds: UInt64
    ) {
      self.pid = pid
      self.processStartTicks = processStartTicks
      self.engine = engine
      self.rateHertz = rateHertz
      self.periodNanoseconds = periodNanoseconds
      self.isUserOnly = isUserOnly
      self.realtimeNanoseconds = realtimeNanoseconds
      self.monotonicNanoseconds = monotonicNanoseconds
    }
  }

  /// A module that was defined.
  public struct ModuleID: Hashable, Sendable {
    /// As recorded, from 1.
    let number: UInt32
  }

  /// A thread that was defined.
  public struct ThreadID: Hashable, Sendable {
    /// As recorded, from 0.
    let index: Int
  }

  /// A stack that was defined.
  public struct StackID: Hashable, Sendable {
    /// The node of the tree; 0 for a stack without frames.
    let node: UInt32
    /// Whether it has a mark of truncation.
    let isTruncated: Bool
  }

  /// Totals of what was written.
  public struct Totals: Equatable, Sendable {
    /// Number of samples.
    public var samples: UInt64 = 0
    /// Sum of their weights.
    public var weight: UInt64 = 0
    /// Samples whose stack is truncated.
    public var truncated: UInt64 = 0
    /// Threads that were defined.
    public var threads: UInt64 = 0

    /// Creates totals of nothing.
    public init() {}
  }

  /// Frames of a stack that are kept at most; those beyond, towards the root, are cut off.
  public static let frameLimit = 512
  /// A sample and a definition beside it are never larger: 30 bytes a frame.
  private static let reserve = 32 << 10

  private struct Thread {
    var tid: UInt32
    /// Time of its latest sample since the segment's start, in `unit`.
    var units: UInt64 = 0
  }

  private let sink: Sink
  /// Unit of sample times.
  private let unit: UInt64
  private var sequence: UInt32 = 0
  private var tree: StackTable
  private var threads: [Thread] = []
  private var moduleCount: UInt32 = 0
  /// The thread that SAMPLES is in force for; nil at a chunk's start.
  private var currentThread: ThreadID?
  /// Pending payloads.
  private var moduleBytes = ByteWriter()
  private var threadBytes = ByteWriter()
  private var sampleBytes = ByteWriter()
  /// What was written so far.
  public private(set) var totals = Totals()

  /// Writes a header.
  ///
  /// - Parameters:
  ///   - start: What it says.
  ///   - sink: Takes the bytes.
  /// - Throws: What the sink throws.
  public init(_ start: Start, to sink: @escaping Sink) throws(RecordingWriteError) {
    try self.init(start, nodeLimit: 1 << 22, to: sink)
  }

  /// Writes a header, with room for a number of stacks.
  init(_ start: Start, nodeLimit: Int, to sink: @escaping Sink) throws(RecordingWriteError) {
    self.sink = sink
    unit = wick_time_unit_ns(start.periodNanoseconds)
    tree = StackTable(nodeLimit: nodeLimit)
    var header = ByteWriter()
    header.append(SegmentHeader.magic)
    header.integer(UInt32(WICK_FORMAT_VERSION))
    header.integer(UInt32(MemoryLayout<RecordedHeader>.size))
    header.integer(start.realtimeNanoseconds)
    header.integer(start.monotonicNanoseconds)
    header.integer(start.pid)
    header.integer(start.engine.rawValue)
    header.integer(start.processStartTicks)
    header.integer(start.rateHertz)
    header.integer(start.periodNanoseconds)
    header.integer(start.isUserOnly ? UInt32(WICK_FLAG_USER_ONLY) : 0)
    header.integer(CRC32C.checksum(header.span))
    try sink(header.span)
  }

  /// Bytes that wait for `flush`.
  public var pendingByteCount: Int { moduleBytes.count + threadBytes.count + sampleBytes.count }

  /// Writes facts about the process; a later value of a key replaces an earlier one.
  public mutating func add(
    info: [(key: String, value: String)]
  ) throws(RecordingWriteError) {
    var bytes = ByteWriter()
    for (key, value) in info {
      bytes.string(key)
      bytes.string(value)
    }
    try write(.info, bytes)
  }

  /// Defines a module; only those with samples should be.
  ///
  /// - Throws: What the sink throws.
  public mutating func define(_ module: Module) throws(RecordingWriteError) -> ModuleID {
    try flushIfFull()
    moduleCount += 1
    tree.addModule()
    moduleBytes.varint(UInt64(moduleCount))
    moduleBytes.varint(module.loadBias)
    moduleBytes.varint(module.extent.lowerBound)
    moduleBytes.varint(module.extent.upperBound)
    moduleBytes.blob(module.buildID)
    moduleBytes.string(module.path)
    return ModuleID(number: moduleCount)
  }

  /// Defines a thread.
  ///
  /// - Parameters:
  ///   - tid: Its id.
  ///   - name: Its name so far.
  /// - Returns: The thread, for its samples.
  /// - Throws: What the sink throws.
  public mutating func define(
    thread tid: UInt32, name: String
  ) throws(RecordingWriteError) -> ThreadID {
    let thread = ThreadID(index: threads.count)
    threads.append(Thread(tid: tid))
    totals.threads += 1
    try rename(thread, to: name)
    return thread
  }

  /// Gives a thread another name.
  public mutating func rename(
    _ thread: ThreadID, to name: String
  ) throws(RecordingWriteError) {
    try flushIfFull()
    threadBytes.varint(UInt64(thread.index))
    threadBytes.varint(UInt64(threads[thread.index].tid))
    threadBytes.string(name, limit: 256)
  }

  /// Finds or defines a stack.
  ///
  /// - Parameters:
  ///   - frames: Leaf first; more than `frameLimit` are cut off and marked.
  ///   - truncation: Why the stack ends before its thread's entry; nil if it does not.
  /// - Returns: The stack, for any number of samples; nil if no more stacks can be kept.
  /// - Throws: What the sink throws.
  public mutating func define(
    stack frames: some BidirectionalCollection<RecordedFrame>,
    truncation: TruncationReason? = nil
  ) throws(RecordingWriteError) -> StackID? {
    try flushIfFull()
    let kept = frames.prefix(Self.frameLimit)
    let truncation = kept.count < frames.count ? .depth : truncation
    guard let node = tree.node(of: kept, truncation: truncation, &sampleBytes) else { return nil }
    return StackID(node: node, isTruncated: truncation != nil)
  }

  /// Adds a sample.
  ///
  /// - Parameters:
  ///   - stack: Where the thread was.
  ///   - thread: Which one.
  ///   - nanoseconds: Time since the segment's start. A time before the thread's latest sample
  ///     counts as that one's.
  ///   - weight: Periods of CPU time that it stands for, at least 1.
  /// - Throws: What the sink throws.
  public mutating func add(
    _ stack: StackID, of thread: ThreadID, at nanoseconds: UInt64, weight: UInt64 = 1
  ) throws(RecordingWriteError) {
    try flushIfFull()
    if currentThread != thread {
      sampleBytes.record(.place, UInt64(thread.index) << 1)
      currentThread = thread
    }
    tree.move(to: stack.node, &sampleBytes)
    let latest = threads[thread.index].units
    let time = max(nanoseconds / unit, latest)
    threads[thread.index].units = time
    let isWeighted: UInt64 = weight > 1 ? 1 : 0
    sampleBytes.record(.sample, (time - latest) << 1 | isWeighted)
    if weight > 1 { sampleBytes.varint(weight) }
    totals.samples += 1
    totals.weight += max(weight, 1)
    totals.truncated += stack.isTruncated ? 1 : 0
  }

  /// Writes what is pending.
  ///
  /// - Throws: What the sink throws; what was pending is lost then.
  public mutating func flush() throws(RecordingWriteError) {
    // Definitions come before the samples that use them.
    let (modules, threads, samples) = (moduleBytes, threadBytes, sampleBytes)
    (moduleBytes, threadBytes, sampleBytes) = (ByteWriter(), ByteWriter(), ByteWriter())
    currentThread = nil
    if modules.count > 0 { try write(.modules, modules) }
    if threads.count > 0 { try write(.threads, threads) }
    if samples.count > 0 { try write(.samples, samples) }
  }

  /// Writes running totals; those of `totals` are added to the given ones.
  public mutating func add(
    statistics: [(RecordedStatistic, UInt64)]
  ) throws(RecordingWriteError) {
    let own: [(RecordedStatistic, UInt64)] = [
      (.samples, totals.samples), (.weight, totals.weight), (.truncated, totals.truncated),
      (.threads, totals.threads),
    ]
    var bytes = ByteWriter()
    // What is given counts, as it comes last.
    for (key, value) in own + statistics {
      bytes.varint(UInt64(key.rawValue))
      bytes.varint(value)
    }
    try write(.stats, bytes)
  }

  /// Writes the end of the segment, after what is pending.
  ///
  /// - Parameters:
  ///   - reason: Why.
  ///   - nanoseconds: Time since the segment's start.
  /// - Throws: What the sink throws.
  public mutating func end(
    _ reason: EndReason, at nanoseconds: UInt64
  ) throws(RecordingWriteError) {
    try flush()
    var bytes = ByteWriter()
    bytes.varint(UInt64(reason.rawValue))
    bytes.varint(nanoseconds)
    try write(.end, bytes)
  }

  private mutating func flushIfFull() throws(RecordingWriteError) {
    let limit = Int(WICK_CHUNK_BYTE_LIMIT) - Self.reserve
    if max(moduleBytes.count, threadBytes.count, sampleBytes.count) > limit { try flush() }
  }

  private mutating func write(
    _ type: ChunkType, _ payload: ByteWriter
  ) throws(RecordingWriteError) {
    var chunk = ByteWriter()
    chunk.integer(type.rawValue)
    chunk.integer(UInt32(payload.count))
    chunk.integer(sequence)
    var crc = CRC32C()
    crc.update(chunk.span)
    crc.update(payload.span)
    chunk.integer(crc.value)
    chunk.append(payload.bytes)
    try sink(chunk.span)
    sequence += 1
  }
}
