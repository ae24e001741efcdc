/// Processes, threads, modules, source files or types of objects by self and total value.
public struct GroupTable: Sendable {
  /// What values are summed by.
  public enum Grouping: String, CaseIterable, Sendable {
    /// By process.
    case process
    /// By thread.
    case thread
    /// By the module's name.
    case module
    /// By the source file's path.
    case file
    /// By the type of the objects that were allocated.
    case type
  }

  /// What tells a group from others of the same table.
  public struct Group: Hashable, Sendable {
    fileprivate var name: String?
    fileprivate var process: Profile.Process?
    fileprivate var thread: Profile.Thread?
  }

  /// One group.
  public struct Row: Hashable, Sendable {
    /// The process's, thread's, module's or type's name, or the file's path; nil for what is of none.
    public var name: String?
    /// The process, where that is what values are summed by.
    public var process: Profile.Process?
    /// The thread, where that is what values are summed by.
    public var thread: Profile.Thread?
    /// Value counted while code of the group itself ran.
    public var selfValue: Int64
    /// Value counted while code of the group was anywhere on the stack, once per stack.
    public var totalValue: Int64

    /// The group alone.
    public var group: Group { Group(name: name, process: process, thread: thread) }

    /// What orders groups of one name.
    fileprivate var ids: (pid: UInt32, tid: UInt32) {
      (process?.pid ?? thread?.pid ?? 0, thread?.tid ?? 0)
    }
  }

  /// What values are summed by.
  public let grouping: Grouping
  /// What is counted.
  public let valueType: ValueType
  /// Sum over all stacks; that of the rows' self values too.
  public let total: Int64
  /// Rows by descending self value, then descending total, then name and ids; what is of none
  /// comes last among equals.
  public let rows: [Row]

  /// Sums a column of a profile.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be.
  ///   - grouping: What to sum by.
  ///   - column: Index into `profile.valueTypes`.
  public init(_ profile: Profile, by grouping: Grouping, column: Int = 0) {
    self.grouping = grouping
    valueType = profile.valueTypes[column]
    total = profile.total(of: column)
    let rows =
      switch grouping {
      case .process: Self.processes(of: profile, column: column)
      case .thread: Self.threads(of: profile, column: column)
      case .module:
        Self.groups(of: profile, column: column) { frame in
          let name = profile.function(of: frame).module
          return name.isEmpty ? nil : name
        }
      case .file: Self.groups(of: profile, column: column) { SourceLine($0).file }
      case .type: Self.types(of: profile, column: column)
      }
    self.rows = rows.sorted { first, second in
      if first.selfValue != second.selfValue { return first.selfValue > second.selfValue }
      if first.totalValue != second.totalValue { return first.totalValue > second.totalValue }
      guard let name = first.name, let other = second.name else { return first.name != nil }
      return (name, first.ids.pid, first.ids.tid) < (other, second.ids.pid, second.ids.tid)
    }
  }

  private static func processes(of profile: Profile, column: Int) -> [Row] {
    let processes = Dictionary(uniqueKeysWithValues: profile.processes.map { ($0.pid, $0) })
    let values = sums(of: profile, column: column) { $0.processID.flatMap { processes[$0] } }
    return values.map { process, value in
      Row(name: process?.name, process: process, selfValue: value, totalValue: value)
    }
  }

  private static func threads(of profile: Profile, column: Int) -> [Row] {
    sums(of: profile, column: column) { $0 }.map { thread, value in
      Row(name: thread?.name, thread: thread, selfValue: value, totalValue: value)
    }
  }

  /// Sums the samples of threads that are of one group; of those without a thread as of none.
  private static func sums<Group: Hashable>(
    of profile: Profile, column: Int, by group: (Profile.Thread) -> Group?
  ) -> [Group?: Int64] {
    let groups = profile.threads.map(group)
    // For each thread, and behind them for no thread; nil without a sample.
    var values = [Int64?](repeating: nil, count: groups.count + 1)
    for (row, sample) in profile.samples.enumerated() {
      let place = sample.thread ?? groups.count
      values[place] = (values[place] ?? 0).addingSaturating(profile.columns[column][row])
    }
    var sums: [Group?: Int64] = [:]
    for (place, value) in values.enumerated() {
      guard let value else { continue }
      let group = place < groups.count ? groups[place] : nil
      sums[group] = sums[group, default: 0].addingSaturating(value)
    }
    return sums
  }

  /// An object is of one type, so that self and total are the same.
  private static func types(of profile: Profile, column: Int) -> [Row] {
    let types = profile.objectTypes
    var sums: [String?: Int64] = [:]
    for (row, sample) in profile.samples.enumerated() {
      let value = profile.columns[column][row]
      guard value != 0 else { continue }
      let type = types[sample.stack]
      sums[type] = sums[type, default: 0].addingSaturating(value)
    }
    return sums.map { Row(name: $0, selfValue: $1, totalValue: $1) }
  }

  private static func groups(
    of profile: Profile, column: Int, by name: (Frame) -> String?
  ) -> [Row] {
    // The first group is what is of none.
    var names: [String?] = [nil]
    var ids: [String: Int] = [:]
    let groups = profile.frames.map { frame in
      guard let name = name(frame) else { return 0 }
      if let known = ids[name] { return known }
      names.append(name)
      ids[name] = names.count - 1
      return names.count - 1
    }
    let sums = FrameGroups(profile, columns: [column], groups: groups, count: names.count)
    var rows = names.indices.map { index in
      Row(
        name: names[index], selfValue: sums.selfValues[0][index],
        totalValue: sums.totalValues[0][index])
    }
    // Stacks without any frame are code of no group.
    for (row, sample) in profile.samples.enumerated() where sample.stack == 0 {
      let value = profile.columns[column][row]
      rows[0].selfValue = rows[0].selfValue.addingSaturating(value)
      rows[0].totalValue = rows[0].totalValue.addingSaturating(value)
    }
    if rows[0].totalValue == 0 { rows.removeFirst() }
    return rows
  }
}
