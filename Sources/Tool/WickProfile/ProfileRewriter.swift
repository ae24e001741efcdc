/// Makes a profile of another's frames and rows that has only what is used.
///
/// A frame or a stack that no row needs would be a function of value 0 in every view.
struct ProfileRewriter {
  private let source: Profile
  private var result: Profile
  /// The new index of each frame; −1 until it is used.
  private var frames: [Int]

  /// Begins a profile with a profile's modules, threads and origin.
  init(_ source: Profile) {
    self.source = source
    result = Profile(valueTypes: source.valueTypes)
    result.modules = source.modules
    result.threads = source.threads
    result.origin = source.origin
    frames = [Int](repeating: -1, count: source.frames.count)
  }

  /// Returns the stack of the new profile with a frame of the old one called from `parent`.
  mutating func stack(parent: Int, frame: Int) -> Int {
    if frames[frame] < 0 { frames[frame] = result.intern(source.frames[frame]) }
    return result.stack(parent: parent, frame: frames[frame])
  }

  /// Returns the stack of the new profile with a frame of its own called from `parent`.
  mutating func stack(parent: Int, frame: Frame) -> Int {
    result.stack(parent: parent, frame: result.intern(frame))
  }

  /// Takes rows over.
  ///
  /// - Parameters:
  ///   - stacks: The new stack of each old one; −1 where rows are dropped.
  ///   - isKept: Whether a row is kept that has a new stack; given its index, too.
  /// - Returns: The new profile.
  consuming func finish(
    stacks: [Int], where isKept: (Int, Profile.Sample) -> Bool = { _, _ in true }
  ) -> Profile {
    var rows: [Profile.Sample] = []
    var columns: [[Int64]] = source.columns.map { _ in [] }
    for (row, sample) in source.samples.enumerated() {
      guard stacks[sample.stack] >= 0, isKept(row, sample) else { continue }
      var sample = sample
      sample.stack = stacks[sample.stack]
      rows.append(sample)
      for column in columns.indices { columns[column].append(source.columns[column][row]) }
    }
    result.add(rows, columns: columns)
    return result
  }
}

extension Profile {
  /// Returns this profile with each stack cut behind its innermost matching frame.
  ///
  /// Stacks without one, rows and values stay as they are; a type of objects stays the leaf.
  ///
  /// - Parameter isEnd: Whether a frame may be the innermost; asked once per frame.
  /// - Returns: The profile.
  package func endingStacks(at isEnd: (Frame) -> Bool) -> Profile {
    let marks = frames.map(isEnd)
    var ends = [Int](repeating: 0, count: stacks.count)
    for node in stacks.parents.indices.dropFirst() {
      ends[node] = marks[Int(stacks.frames[node])] ? node : ends[Int(stacks.parents[node])]
    }
    /// Where a stack ends, apart from the type of its objects.
    func end(of stack: Int) -> Int {
      if ends[stack] != 0 || stack == 0 { return ends[stack] }
      return isType(stack) ? Int(stacks.parents[stack]) : stack
    }
    func isType(_ stack: Int) -> Bool {
      stack != 0 && frames[Int(stacks.frames[stack])].kind == .objectType
    }
    var isUsed = [Bool](repeating: false, count: stacks.count)
    for sample in samples { isUsed[end(of: sample.stack)] = true }
    stacks.closeTowardsRoot(&isUsed)
    var rewriter = ProfileRewriter(self)
    var whole = [Int](repeating: 0, count: stacks.count)
    for node in stacks.parents.indices.dropFirst() where isUsed[node] {
      whole[node] = rewriter.stack(
        parent: whole[Int(stacks.parents[node])], frame: Int(stacks.frames[node]))
    }
    var nodes = whole
    for sample in samples {
      let (stack, end) = (sample.stack, end(of: sample.stack))
      nodes[stack] =
        isType(stack)
        ? rewriter.stack(parent: whole[end], frame: Int(stacks.frames[stack])) : whole[end]
    }
    return rewriter.finish(stacks: nodes)
  }
}

extension StackTree {
  /// Marks the ways to the root of all marked nodes, too.
  func closeTowardsRoot(_ marks: inout [Bool]) {
    for node in parents.indices.dropFirst().reversed() where marks[node] {
      marks[Int(parents[node])] = true
    }
  }
}
