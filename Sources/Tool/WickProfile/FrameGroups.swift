/// Values of a profile summed by groups of frames, such as all frames of one source line.
public struct FrameGroups: Sendable {
  /// `selfValues[i][group]`: value in the i-th column of the stacks whose leaf is in the group.
  public private(set) var selfValues: [[Int64]]
  /// `totalValues[i][group]`: value of the stacks with a frame of the group anywhere, once a stack.
  public private(set) var totalValues: [[Int64]]

  /// Sums columns of a profile.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - columns: Indices into `profile.valueTypes`.
  ///   - groups: The group of each frame of `profile.frames`, below `count`; −1 for none.
  ///   - count: Number of groups.
  public init(_ profile: Profile, columns: [Int], groups: [Int], count: Int) {
    let none = [Int64](repeating: 0, count: count)
    selfValues = columns.map { _ in none }
    totalValues = selfValues
    let stacks = profile.stacks
    let own = columns.map { Self.values(of: $0, in: profile) }
    for node in stacks.parents.indices.dropFirst() {
      let group = groups[Int(stacks.frames[node])]
      guard group >= 0 else { continue }
      for index in own.indices {
        selfValues[index][group] = selfValues[index][group].addingSaturating(own[index][node])
      }
    }
    let below = own.map { Self.subtotals(of: $0, in: stacks) }
    Self.visit(stacks, groups: groups, count: count) { node, group in
      for index in below.indices {
        totalValues[index][group] = totalValues[index][group].addingSaturating(below[index][node])
      }
    }
  }

  /// The value of each stack itself.
  private static func values(of column: Int, in profile: Profile) -> [Int64] {
    var values = [Int64](repeating: 0, count: profile.stacks.count)
    for (row, sample) in profile.samples.enumerated() {
      values[sample.stack] = values[sample.stack].addingSaturating(profile.columns[column][row])
    }
    return values
  }

  /// The value of each stack and of all that begin with it.
  private static func subtotals(of values: [Int64], in stacks: StackTree) -> [Int64] {
    var sums = values
    for node in stacks.parents.indices.dropFirst().reversed() {
      let parent = Int(stacks.parents[node])
      sums[parent] = sums[parent].addingSaturating(sums[node])
    }
    return sums
  }

  /// Calls `body` for each node that is the first of its group on the way from the root.
  private static func visit(
    _ stacks: StackTree, groups: [Int], count: Int, body: (_ node: Int, _ group: Int) -> Void
  ) {
    // Children as linked lists: the first of each node, and the next sibling of each.
    var firstChild = [Int32](repeating: 0, count: stacks.count)
    var sibling = firstChild
    for node in stacks.parents.indices.dropFirst() {
      let parent = Int(stacks.parents[node])
      sibling[node] = firstChild[parent]
      firstChild[parent] = Int32(node)
    }
    var occurrences = [Int32](repeating: 0, count: count)
    var node = Int(firstChild[0])
    while node != 0 {
      let group = groups[Int(stacks.frames[node])]
      if group >= 0 {
        if occurrences[group] == 0 { body(node, group) }
        occurrences[group] += 1
      }
      if firstChild[node] != 0 {
        node = Int(firstChild[node])
        continue
      }
      // Up to the next branch that was not taken yet, leaving the groups on the way.
      while node != 0 {
        let group = groups[Int(stacks.frames[node])]
        if group >= 0 { occurrences[group] -= 1 }
        if sibling[node] != 0 {
          node = Int(sibling[node])
          break
        }
        node = Int(stacks.parents[node])
      }
    }
  }
}
