internal import WickProfile

/// The profile that all segments of a recording are read into.
struct ProfileBuilder {
  /// More warnings than this are only counted: a hostile file could hold one per header.
  private static let warningLimit = 100

  private(set) var profile = Profile(valueTypes: [.samples, .cpu])
  private var moduleIDs: [Module: Int] = [:]
  private var rows: [Profile.Sample] = []
  private var weights: [Int64] = []
  private var nanoseconds: [Int64] = []
  private var warningCount = 0
  private var allocationRows: [Profile.Sample] = []
  /// By column, then by row; see `AllocationValues.columns`.
  private var allocationColumns = (ValueType.allocations + ValueType.references).map { _ in
    [Int64]()
  }

  /// - Parameters:
  ///   - first: The first segment's header.
  ///   - byteCount: Size of the file. A sample takes about 8 bytes in it; room that stays unused
  ///     is never touched and so takes no memory.
  init(first: SegmentHeader, byteCount: Int) {
    rows.reserveCapacity(byteCount / 8)
    weights.reserveCapacity(byteCount / 8)
    nanoseconds.reserveCapacity(byteCount / 8)
    profile.origin.rateHertz = first.rateHertz
    profile.origin.periodNanoseconds = first.periodNanoseconds
    profile.origin.startRealtimeNanoseconds = first.startRealtimeNanoseconds
  }

  /// Whether node, frame or thread ids, which have 32 bits, are used up.
  var isFull: Bool {
    max(profile.stacks.count, profile.frames.count, profile.threads.count) >= Int32.max
  }

  /// Returns the index of a module; one that several segments map alike is kept once.
  mutating func intern(_ module: Module) -> Int {
    if let known = moduleIDs[module] { return known }
    profile.modules.append(module)
    moduleIDs[module] = profile.modules.count - 1
    return profile.modules.count - 1
  }

  /// Returns the index of a frame.
  mutating func intern(_ frame: Frame) -> Int32 {
    Int32(profile.intern(frame))
  }

  /// Returns the node of a stack.
  mutating func stack(parent: Int32, frame: Int32) -> Int32 {
    Int32(profile.stack(parent: Int(parent), frame: Int(frame)))
  }

  /// Returns the index of a new thread.
  mutating func add(_ thread: Profile.Thread) -> Int {
    profile.threads.append(thread)
    return profile.threads.count - 1
  }

  /// Gives a thread its later name.
  mutating func rename(thread: Int, to name: String) {
    profile.threads[thread].name = name
  }

  /// Adds a sample with both of its values.
  mutating func add(_ sample: Profile.Sample, weight: Int64, nanoseconds cpu: Int64) {
    rows.append(sample)
    weights.append(weight)
    nanoseconds.append(cpu)
  }

  /// Adds a row of allocations unless it is empty.
  mutating func add(_ sample: Profile.Sample, _ values: AllocationValues) {
    let columns = values.columns
    guard columns.contains(where: { $0 != 0 }) else { return }
    allocationRows.append(sample)
    for (column, value) in columns.enumerated() { allocationColumns[column].append(value) }
  }

  /// Adds a segment's process.
  mutating func add(_ process: Origin.Process) {
    profile.origin.processes.append(process)
  }

  /// Makes the recording at least this long.
  mutating func extend(to nanoseconds: UInt64) {
    profile.origin.durationNanoseconds = max(profile.origin.durationNanoseconds, nanoseconds)
  }

  /// Notes that samples are missing, and why.
  mutating func warn(_ sentence: String) {
    profile.origin.isIncomplete = true
    warningCount += 1
    if warningCount <= Self.warningLimit { profile.origin.warnings.append(sentence) }
  }

  /// Whether allocations were recorded of any process, be it that there were none.
  private var hasAllocations: Bool { profile.origin.processes.contains { $0.heap != nil } }

  /// Returns the profile with the rows and columns of allocations, too.
  private consuming func withAllocations() -> Profile {
    let references = allocationColumns.suffix(ValueType.references.count)
    let hasReferences = references.contains { $0.contains { $0 != 0 } }
    let types = ValueType.allocations + (hasReferences ? ValueType.references : [])
    let none = allocationRows.map { _ in Int64(0) }
    profile.addColumns(types)
    profile.add(
      allocationRows, columns: [none, none] + allocationColumns.prefix(types.count))
    return profile
  }

  /// Returns the profile with all rows.
  consuming func finish() -> Profile {
    if warningCount > Self.warningLimit {
      profile.origin.warnings.append("There are \(warningCount - Self.warningLimit) more warnings.")
    }
    profile.add(rows, columns: [weights, nanoseconds])
    return hasAllocations ? withAllocations() : profile
  }
}
