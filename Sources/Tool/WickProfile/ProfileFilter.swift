/// Which stacks of a profile count, and which of their frames are seen.
public struct ProfileFilter {
  /// Only stacks count that match each of these, in whichever frame or by their thread or process.
  public var focus: [FramePattern]
  /// Stacks do not count that match any of these.
  public var ignore: [FramePattern]
  /// Frames that match any of these go; their own value goes to the caller.
  public var hide: [FramePattern]

  /// Creates a filter; without patterns it lets all pass.
  public init(
    focus: [FramePattern] = [], ignore: [FramePattern] = [], hide: [FramePattern] = []
  ) {
    self.focus = focus
    self.ignore = ignore
    self.hide = hide
  }

  /// Whether all passes.
  public var isEmpty: Bool { focus.isEmpty && ignore.isEmpty && hide.isEmpty }
}

extension Profile {
  /// Returns the part of this profile that a filter lets pass; `origin.excerpt` says which it is.
  ///
  /// Stacks are chosen by all of their frames, those included that are hidden then. A stack without
  /// any frame left stays, as a stack of none. Rows stay in order.
  public func filtered(by filter: ProfileFilter) -> Profile {
    guard !filter.isEmpty else { return self }
    var isKept = [Bool](repeating: true, count: stacks.count)
    var isThreadKept = [Bool](repeating: true, count: threads.count)
    var unmatched: [String] = []
    for (pattern, isWanted) in filter.focus.map({ ($0, true) }) + filter.ignore.map({ ($0, false) })
    {
      guard pattern.subject.isOfFrames else {
        let marks = pattern.threadMarks(in: self)
        if !marks.contains(true) { unmatched.append(pattern.text) }
        for (thread, isMatch) in marks.enumerated() where isMatch != isWanted {
          isThreadKept[thread] = false
        }
        continue
      }
      let marks = pattern.marks(in: self)
      if !marks.contains(true) { unmatched.append(pattern.text) }
      for (node, isMatch) in stacks.marksBelow(marks).enumerated() where isMatch != isWanted {
        isKept[node] = false
      }
    }
    var isHidden = [Bool](repeating: false, count: frames.count)
    for pattern in filter.hide {
      let marks = pattern.marks(in: self)
      if !marks.contains(true) { unmatched.append(pattern.text) }
      for (frame, isMatch) in marks.enumerated() where isMatch { isHidden[frame] = true }
    }
    // A row of no thread matches no pattern for threads or processes.
    let keepsNoThread = filter.focus.allSatisfy(\.subject.isOfFrames)
    var result = choosing(hiding: isHidden) { _, sample in
      isKept[sample.stack] && (sample.thread.map { isThreadKept[$0] } ?? keepsNoThread)
    }
    result.origin.excerpt = excerpt(filter, unmatched: unmatched)
    return result
  }

  /// Returns the rows that count something in a column.
  ///
  /// In a recording of samples and of allocations each row counts in the columns of one of them, and
  /// functions of value 0 would be in the views of the other. Other profiles are returned as they are.
  public func counting(_ column: Int) -> Profile {
    guard valueTypes.contains(where: \.isOfMemory) else { return self }
    return choosing(hiding: [Bool](repeating: false, count: frames.count)) { row, _ in
      columns[column][row] != 0
    }
  }

  private func choosing(
    hiding isHidden: [Bool], where isKept: (Int, Sample) -> Bool
  ) -> Profile {
    var isUsed = [Bool](repeating: false, count: stacks.count)
    for (row, sample) in samples.enumerated() where isKept(row, sample) {
      isUsed[sample.stack] = true
    }
    stacks.closeTowardsRoot(&isUsed)
    var rewriter = ProfileRewriter(self)
    var nodes = [Int](repeating: 0, count: stacks.count)
    for node in stacks.parents.indices.dropFirst() where isUsed[node] {
      let (parent, frame) = (nodes[Int(stacks.parents[node])], Int(stacks.frames[node]))
      nodes[node] = isHidden[frame] ? parent : rewriter.stack(parent: parent, frame: frame)
    }
    return rewriter.finish(stacks: nodes, where: isKept)
  }

  private func excerpt(_ filter: ProfileFilter, unmatched: [String]) -> Origin.Excerpt {
    var excerpt =
      origin.excerpt
      ?? Origin.Excerpt(
        accounting: SampleAccounting(self), totals: columns.indices.map { total(of: $0) })
    excerpt.focus += filter.focus.map(\.text)
    excerpt.ignore += filter.ignore.map(\.text)
    excerpt.hide += filter.hide.map(\.text)
    excerpt.unmatched += unmatched
    return excerpt
  }
}

extension StackTree {
  /// For each node whether its frame or one towards the root is marked.
  func marksBelow(_ marks: [Bool]) -> [Bool] {
    var isBelow = [Bool](repeating: false, count: count)
    for node in parents.indices.dropFirst() {
      isBelow[node] = isBelow[Int(parents[node])] || marks[Int(frames[node])]
    }
    return isBelow
  }
}
