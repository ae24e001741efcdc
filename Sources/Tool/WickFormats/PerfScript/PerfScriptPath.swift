internal import WickProfile

/// The last stack that was looked up: the next one often begins alike at its root.
struct PerfScriptPath {
  private var root = 0
  /// Root first, with the node of each.
  private var steps: [(frame: Int, node: Int)] = []

  /// Returns the stack of frames, leaf first, below a stack.
  mutating func stack(
    of frames: ArraySlice<Int>, below root: Int, in profile: inout Profile
  ) -> Int {
    if root != self.root {
      self.root = root
      steps.removeAll(keepingCapacity: true)
    }
    var depth = 0
    for frame in frames.reversed() {
      if depth == steps.count || steps[depth].frame != frame {
        steps.removeLast(steps.count - depth)
        let parent = depth == 0 ? root : steps[depth - 1].node
        steps.append((frame, profile.stack(parent: parent, frame: frame)))
      }
      depth += 1
    }
    return depth == 0 ? root : steps[depth - 1].node
  }
}
