extension Profile {
  /// More frames than this, or twice as many as there are, are not followed by `callers(of:)`.
  private static let stepLimit = 4_000_000

  /// Returns the stacks with a matching frame, from that frame on towards the leaf.
  ///
  /// In a recursion the frame nearest the root counts, so each stack counts once, and the sum is the
  /// total of what matches.
  ///
  /// - Parameter pattern: For functions or modules.
  /// - Returns: A profile of these stacks; its total is that of what matches.
  public func callees(of pattern: FramePattern) -> Profile {
    let starts = stacks.firstMarked(pattern.marks(in: self))
    var isUsed = sampled
    stacks.closeTowardsRoot(&isUsed)
    var rewriter = ProfileRewriter(self)
    var nodes = [Int](repeating: -1, count: stacks.count)
    for node in stacks.parents.indices.dropFirst() where isUsed[node] && starts[node] > 0 {
      nodes[node] = rewriter.stack(
        parent: max(0, nodes[Int(stacks.parents[node])]), frame: Int(stacks.frames[node]))
    }
    return rewriter.finish(stacks: nodes)
  }

  /// Returns the stacks with a matching frame, from that frame on towards the root.
  ///
  /// The matching frame comes first, then its caller, and so on; frames are merged by function. Of
  /// several matching frames that nearest the root counts, as in `callees(of:)`. What upside down
  /// would be too much ends in a frame that says so, the rarest stacks first.
  ///
  /// - Parameter pattern: For functions or modules.
  /// - Returns: A profile of these stacks upside down; its total is that of what matches.
  public func callers(of pattern: FramePattern) -> Profile {
    let merged = replacingFrames { [Frame(module: $0.module, function: name(of: $0))] }
    return merged.upsideDown(pattern)
  }

  private func upsideDown(_ pattern: FramePattern) -> Profile {
    let starts = stacks.firstMarked(pattern.marks(in: self))
    var values = [Int64](repeating: 0, count: stacks.count)
    var isStart = [Bool](repeating: false, count: stacks.count)
    for (row, sample) in samples.enumerated() where starts[sample.stack] > 0 {
      let start = starts[sample.stack]
      isStart[start] = true
      values[start] = values[start].addingSaturating(columns[0][row])
    }
    let order = isStart.indices.filter { isStart[$0] }.sorted {
      values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1
    }
    var rewriter = ProfileRewriter(self)
    var targets = [Int](repeating: -1, count: stacks.count)
    let limit = max(Self.stepLimit, 2 * stacks.count)
    var steps = 0
    for start in order {
      var (target, node) = (0, start)
      repeat {
        target = rewriter.stack(parent: target, frame: Int(stacks.frames[node]))
        node = Int(stacks.parents[node])
        steps += 1
      } while node != 0 && steps < limit
      if node != 0 {
        let cut = Frame(kind: .truncated, function: "[callers not followed]")
        target = rewriter.stack(parent: target, frame: cut)
      }
      targets[start] = target
    }
    return rewriter.finish(stacks: starts.map { $0 > 0 ? targets[$0] : -1 })
  }

  /// For each stack whether a row has it.
  private var sampled: [Bool] {
    var isSampled = [Bool](repeating: false, count: stacks.count)
    for sample in samples { isSampled[sample.stack] = true }
    return isSampled
  }
}

extension StackTree {
  /// For each node the first one on the way from the root to it whose frame is marked; 0 for none.
  fileprivate func firstMarked(_ marks: [Bool]) -> [Int] {
    var first = [Int](repeating: 0, count: count)
    for node in parents.indices.dropFirst() {
      let above = first[Int(parents[node])]
      first[node] = above > 0 ? above : marks[Int(frames[node])] ? node : 0
    }
    return first
  }
}
