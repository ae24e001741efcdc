public import WickProfile

/// What is still live at the end, by stack, with an account of how the figures came about.
public struct LeakReport: ProfileReport {
  /// All stacks with live objects.
  public let table: LeakTable
  /// How the figures came about.
  let account: ProfileAccount
  /// Short names of all files.
  let names: SourceNames
  /// At most this many stacks are shown.
  public let limit: Int
  let threshold: LeakTable.Threshold
  let isSampled: Bool

  /// Makes a report; nil where allocations were not recorded.
  ///
  /// - Parameters:
  ///   - profile: A profile with types of objects, symbolicated as far as it can be.
  ///   - threshold: What is left out as too young.
  ///   - limit: How many stacks to show.
  public init?(
    _ profile: Profile, threshold: LeakTable.Threshold = .youngestTenth, limit: Int = 20
  ) {
    guard let column = profile.valueTypes.firstIndex(of: .liveSpace),
      let table = LeakTable(profile.endingInOwnCode(for: column), threshold: threshold)
    else { return nil }
    self.table = table
    self.threshold = threshold
    account = ProfileAccount(profile, column: column)
    isSampled = profile.samplingColumns(of: column) != nil
    names = SourceNames(table.profile.frames.compactMap(\.file))
    self.limit = max(0, limit)
  }

  /// The stacks shown.
  var rows: ArraySlice<LeakTable.Row> { table.rows.prefix(limit) }

  /// The frames of a row, innermost first.
  func frames(of row: LeakTable.Row) -> [Frame] {
    table.profile.stacks.framesLeafFirst(of: row.stack).map { table.profile.frames[$0] }
  }
}
