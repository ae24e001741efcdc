/// Source lines by self and total value.
public struct LineTable: Sendable {
  /// A line as part of a function.
  public struct Place: Hashable, Sendable {
    /// The line; without a file where no line is known.
    public var line: SourceLine
    /// The function that the line's code is part of, which may have been inlined into another.
    public var function: CallTree.Function

    /// Creates a place.
    public init(line: SourceLine, function: CallTree.Function) {
      self.line = line
      self.function = function
    }

    /// The place of a frame of a profile.
    public init(_ frame: Frame, in profile: Profile) {
      self.init(line: SourceLine(frame), function: profile.function(of: frame))
    }
  }

  /// A place with its values.
  public struct Row: Hashable, Sendable {
    /// The place.
    public var place: Place
    /// Value in each column while the line itself ran.
    public var selfValues: [Int64]
    /// Value in each column while the line was anywhere on the stack, once per stack.
    public var totalValues: [Int64]
  }

  /// What the columns count.
  public let valueTypes: [ValueType]
  /// Sum of each column.
  public let totals: [Int64]
  /// The column that the rows are ordered by.
  public let column: Int
  /// Rows by descending self value, then descending total, then file, line, function and module.
  public let rows: [Row]

  /// Sums a profile by line and function.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be. Frames without a line are summed by
  ///     function, so that nothing is left out.
  ///   - column: Index into `profile.valueTypes`: what the rows are ordered by.
  public init(_ profile: Profile, column: Int = 0) {
    var ids: [Place: Int] = [:]
    var places: [Place] = []
    let groups = profile.frames.map { frame in
      let place = Place(frame, in: profile)
      if let known = ids[place] { return known }
      places.append(place)
      ids[place] = places.count - 1
      return places.count - 1
    }
    let columns = Array(profile.valueTypes.indices)
    let sums = FrameGroups(profile, columns: columns, groups: groups, count: places.count)
    valueTypes = profile.valueTypes
    totals = columns.map { profile.total(of: $0) }
    self.column = column
    let rows = places.indices.map { index in
      Row(
        place: places[index], selfValues: sums.selfValues.map { $0[index] },
        totalValues: sums.totalValues.map { $0[index] })
    }
    self.rows = rows.sorted { first, second in
      let selfValues = (first.selfValues[column], second.selfValues[column])
      if selfValues.0 != selfValues.1 { return selfValues.0 > selfValues.1 }
      let totals = (first.totalValues[column], second.totalValues[column])
      if totals.0 != totals.1 { return totals.0 > totals.1 }
      return first.place < second.place
    }
  }
}

extension LineTable.Place: Comparable {
  /// By line, function and module.
  public static func < (first: LineTable.Place, second: LineTable.Place) -> Bool {
    if first.line != second.line { return first.line < second.line }
    let functions = (first.function, second.function)
    return (functions.0.name, functions.0.module) < (functions.1.name, functions.1.module)
  }
}
