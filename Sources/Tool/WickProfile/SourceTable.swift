/// Source files by self and total value.
public struct SourceTable: Sendable {
  /// A file with its values.
  public struct Row: Hashable, Sendable {
    /// Path as recorded.
    public var file: String
    /// Value counted while a line of the file ran.
    public var selfValue: Int64
    /// Value counted while a line of the file was anywhere on the stack, once per stack.
    public var totalValue: Int64
  }

  /// Rows by descending self value, then descending total, then file.
  public let rows: [Row]

  /// Sums a column of a profile by file; frames without one are left out.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - column: Index into `profile.valueTypes`.
  ///   - isCounted: Whether a frame is counted.
  public init(
    _ profile: Profile, column: Int = 0, where isCounted: (Frame) -> Bool = { _ in true }
  ) {
    var ids: [String: Int] = [:]
    var files: [String] = []
    let groups = profile.frames.map { frame in
      guard let file = SourceLine(frame).file, isCounted(frame) else { return -1 }
      if let known = ids[file] { return known }
      files.append(file)
      ids[file] = files.count - 1
      return files.count - 1
    }
    let sums = FrameGroups(profile, columns: [column], groups: groups, count: files.count)
    let rows = files.indices.map { index in
      Row(
        file: files[index], selfValue: sums.selfValues[0][index],
        totalValue: sums.totalValues[0][index])
    }
    self.rows = rows.sorted { first, second in
      if first.selfValue != second.selfValue { return first.selfValue > second.selfValue }
      if first.totalValue != second.totalValue { return first.totalValue > second.totalValue }
      return first.file < second.file
    }
  }
}
