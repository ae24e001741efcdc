/// What a process's memory came to while its allocations were recorded.
public struct HeapHistory: Hashable, Sendable {
  /// What was live at a moment.
  public struct Point: Hashable, Sendable {
    /// Time since the start of the recording.
    public var nanoseconds: UInt64
    /// Bytes that were allocated and not freed by then; estimated unless all is followed.
    ///
    /// Negative only in a recording that contradicts itself.
    public var bytes: Int64
    /// The same in objects.
    public var objects: Int64

    /// Creates a point.
    public init(nanoseconds: UInt64, bytes: Int64, objects: Int64) {
      self.nanoseconds = nanoseconds
      self.bytes = bytes
      self.objects = objects
    }
  }

  /// Mean bytes between two followed allocations, in the order in which each came into force first;
  /// 1 where every allocation was followed.
  public var intervals: [UInt64] = []
  /// In the order of the recording.
  public var points: [Point] = []
  /// When it was listed what was live, which tells the ages: time since the start of the recording;
  /// nil where it was not, as of a process that was killed.
  public var listNanoseconds: UInt64?

  /// Creates an empty history.
  public init() {}

  /// Whether numbers are estimates.
  public var isSampled: Bool { intervals.contains { $0 > 1 } }
}
