/// The hub: every source is read into a profile, every view is made from one.
///
/// Samples are rows; what they count are columns of integers in base units, one per `valueTypes`
/// entry. Invariants: every index is inside its table, and each column has `samples.count` rows.
public struct Profile: Sendable {
  /// One row: where and when something was counted.
  ///
  /// Rows are many, so a row keeps its ids in 32 bits, as `StackTree` does.
  public struct Sample: Hashable, Sendable {
    private var stackID: Int32
    private var threadID: Int32
    /// Time since the start of the recording; 0 where the source has no times.
    public var nanoseconds: UInt64

    /// Creates a row.
    public init(stack: Int, thread: Int? = nil, nanoseconds: UInt64 = 0) {
      stackID = Int32(stack)
      threadID = Int32(thread ?? -1)
      self.nanoseconds = nanoseconds
    }

    /// Node of `stacks`.
    public var stack: Int {
      get { Int(stackID) }
      set { stackID = Int32(newValue) }
    }

    /// Index into `threads`; nil where the source has no threads.
    public var thread: Int? {
      get { threadID < 0 ? nil : Int(threadID) }
      set { threadID = Int32(newValue ?? -1) }
    }
  }

  /// A thread of a profiled process.
  public struct Thread: Hashable, Sendable {
    /// Process that the thread belongs to.
    public var pid: UInt32
    /// Kernel thread id.
    public var tid: UInt32
    /// Latest name.
    public var name: String

    /// Creates a thread.
    public init(pid: UInt32, tid: UInt32, name: String) {
      self.pid = pid
      self.tid = tid
      self.name = name
    }
  }

  /// What each column counts; at least one.
  public var valueTypes: [ValueType]
  /// Modules that frames refer to.
  public var modules: [Module] = []
  /// Threads that samples refer to.
  public var threads: [Thread] = []
  /// Frames that stacks refer to, each once.
  public private(set) var frames: [Frame] = []
  /// All stacks.
  public private(set) var stacks = StackTree()
  /// All rows.
  public private(set) var samples: [Sample] = []
  /// `columns[i][row]` counts `valueTypes[i]` for `samples[row]`.
  public private(set) var columns: [[Int64]]
  /// How the profile was taken, and what was lost.
  public var origin = Origin()

  private var frameTable = FrameTable()

  /// Creates an empty profile.
  public init(valueTypes: [ValueType]) {
    self.valueTypes = valueTypes
    columns = Array(repeating: [], count: valueTypes.count)
  }

  /// Returns the index of a frame, added on first use.
  public mutating func intern(_ frame: Frame) -> Int {
    frameTable.index(of: frame, in: &frames)
  }

  /// Returns the stack with `frame` (an index into `frames`) called from `parent`.
  public mutating func stack(parent: Int, frame: Int) -> Int {
    stacks.node(parent: parent, frame: frame)
  }

  /// Makes room for stacks; see `StackTree.reserveCapacity`.
  public mutating func reserveStacks(_ count: Int) { stacks.reserveCapacity(count) }

  /// Frees what finds stacks by their frames; see `StackTree.forgetLookup`.
  public mutating func forgetLookup() { stacks.forgetLookup() }

  /// Adds a column to a profile without rows.
  public mutating func addColumn(_ type: ValueType) {
    precondition(samples.isEmpty)
    valueTypes.append(type)
    columns.append([])
  }

  /// Adds columns in which the rows that are there have 0.
  public mutating func addColumns(_ types: [ValueType]) {
    valueTypes += types
    columns += types.map { _ in Array(repeating: 0, count: samples.count) }
  }

  /// Adds a row.
  ///
  /// - Parameters:
  ///   - sample: The row; its stack is a node of `stacks`.
  ///   - values: One value per column.
  public mutating func add(_ sample: Sample, values: [Int64]) {
    samples.append(sample)
    for (column, value) in values.enumerated() { columns[column].append(value) }
  }

  /// Adds many rows at once.
  ///
  /// - Parameters:
  ///   - rows: The rows; their stacks are nodes of `stacks`.
  ///   - values: One array per column, each with a value per row.
  /// - Precondition: The counts agree.
  public mutating func add(_ rows: [Sample], columns values: [[Int64]]) {
    precondition(values.count == columns.count && values.allSatisfy { $0.count == rows.count })
    guard !samples.isEmpty else {
      samples = rows
      columns = values
      return
    }
    samples.append(contentsOf: rows)
    for (column, added) in values.enumerated() { columns[column].append(contentsOf: added) }
  }

  /// The name of a frame as shown everywhere: its function, else where its code is.
  public func name(of frame: Frame) -> String {
    if !frame.function.isEmpty { return frame.function }
    guard let address = frame.address else { return "[unknown]" }
    let hex = String(address, radix: 16)
    let module = frame.module.map { modules[$0].name } ?? ""
    return module.isEmpty ? "0x\(hex)" : "\(module)+0x\(hex)"
  }

  /// The function of a frame, as call trees and reports know it.
  package func function(of frame: Frame) -> CallTree.Function {
    let module = frame.module.map { String(modules[$0].name) } ?? ""
    return CallTree.Function(name: name(of: frame), module: module)
  }

  /// The sum of a column, saturating.
  public func total(of column: Int) -> Int64 {
    columns[column].reduce(0) { $0.addingSaturating($1) }
  }

  /// Returns this profile with each frame replaced by a chain of frames, root first.
  ///
  /// An empty chain removes the frame. Stacks that become equal become one; rows stay as they are.
  ///
  /// - Parameter transform: Called once per frame, in index order.
  /// - Returns: A profile with the same rows and values.
  public func replacingFrames(_ transform: (Frame) -> [Frame]) -> Profile {
    var result = Profile(valueTypes: valueTypes)
    result.modules = modules
    result.threads = threads
    result.origin = origin
    var chains: [[Int]] = []
    chains.reserveCapacity(frames.count)
    for frame in frames { chains.append(transform(frame).map { result.intern($0) }) }
    var nodes = [Int](repeating: 0, count: stacks.count)
    for node in 1..<max(stacks.count, 1) {
      var target = nodes[Int(stacks.parents[node])]
      for frame in chains[Int(stacks.frames[node])] {
        target = result.stack(parent: target, frame: frame)
      }
      nodes[node] = target
    }
    result.samples = samples.map { sample in
      var sample = sample
      sample.stack = nodes[sample.stack]
      return sample
    }
    result.columns = columns
    return result
  }
}

extension Int64 {
  /// The sum, held at the bounds of the type: values come from files.
  package func addingSaturating(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    guard overflow else { return sum }
    return other < 0 ? .min : .max
  }
}
