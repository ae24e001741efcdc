/// What the lines of one source file cost.
public struct SourceValues: Sendable {
  /// A line with its values.
  public struct Line: Hashable, Sendable {
    /// From 1; 0 for code of the file that is of no line.
    public var number: UInt32
    /// Value counted while the line itself ran.
    public var selfValue: Int64
    /// Value counted while the line was anywhere on the stack, once per stack.
    public var totalValue: Int64

    /// Creates a line.
    public init(number: UInt32, selfValue: Int64 = 0, totalValue: Int64 = 0) {
      self.number = number
      self.selfValue = selfValue
      self.totalValue = totalValue
    }
  }

  /// Path as recorded.
  public let file: String
  /// The function whose code alone was counted; nil for all.
  public let function: CallTree.Function?
  /// Value counted while any line ran.
  public let selfValue: Int64
  /// Value counted while any line was on the stack, once per stack.
  public let totalValue: Int64
  /// Lines that are on any stack, by number.
  public let lines: [Line]
  /// Indices into `Profile.modules` of what the file's code is in, ascending.
  public let modules: [Int]

  /// Sums a column of a profile by the lines of a file.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - file: Path as recorded.
  ///   - function: Counts the frames of a function only.
  ///   - column: Index into `profile.valueTypes`.
  public init(
    _ profile: Profile, file: String, function: CallTree.Function? = nil, column: Int = 0
  ) {
    var ids: [UInt32: Int] = [:]
    var numbers: [UInt32] = []
    var modules: Set<Int> = []
    let groups = profile.frames.map { frame in
      guard frame.file == file,
        function == nil || LineTable.Place(frame, in: profile).function == function
      else { return -1 }
      if let module = frame.module { modules.insert(module) }
      if let known = ids[frame.line] { return known }
      numbers.append(frame.line)
      ids[frame.line] = numbers.count - 1
      return numbers.count - 1
    }
    let sums = FrameGroups(profile, columns: [column], groups: groups, count: numbers.count)
    let whole = FrameGroups(
      profile, columns: [column], groups: groups.map { min($0, 0) }, count: 1)
    self.file = file
    self.function = function
    selfValue = whole.selfValues[0][0]
    totalValue = whole.totalValues[0][0]
    self.modules = modules.sorted()
    lines = numbers.indices.map { index in
      Line(
        number: numbers[index], selfValue: sums.selfValues[0][index],
        totalValue: sums.totalValues[0][index])
    }.sorted { $0.number < $1.number }
  }

  /// The known line with the highest self value, else the highest total; nil where none is known.
  public var hottest: Line? {
    lines.filter { $0.number > 0 }.max { first, second in
      // Of equal ones the first line.
      (first.selfValue, first.totalValue, second.number)
        < (second.selfValue, second.totalValue, first.number)
    }
  }
}
