/// What a function does for another: nothing but to call it.
public enum Forwarding: Hashable, Sendable {
  /// Changes how arguments are passed.
  case thunk
  /// Calls a function of this name, into which its own name is turned.
  case to(String)
  /// Calls a method of this name (`run(_:)`) of the type that conforms.
  case method(String)
}

extension Profile {
  /// Returns this profile without functions that only call another one.
  ///
  /// Thunks go. What forwards to a function has its name, and goes where that function is next to it
  /// on the stack. What calls a method goes where that method is called by it. Where such a function
  /// is the leaf, its value goes to its caller, or stays with its new name; a stack of nothing else
  /// stays as it is. Rows and values stay as they are.
  ///
  /// - Parameter forwarding: What a frame's function does for another; nil for all others. Called
  ///   once per frame.
  /// - Returns: The profile; this one where no function forwards.
  public func foldingForwarders(_ forwarding: (Frame) -> Forwarding?) -> Profile {
    let kinds = frames.map(forwarding)
    guard kinds.contains(where: { $0 != nil }) else { return self }
    var result = Profile(valueTypes: valueTypes)
    result.modules = modules
    result.threads = threads
    result.origin = origin
    let targets = zip(frames, kinds).map { frame, kind in
      var frame = frame
      if case .to(let name) = kind { frame.function = name }
      return result.intern(frame)
    }
    var nodes = [Int](repeating: 0, count: stacks.count)
    /// Where the function goes that a node only calls.
    var callers = nodes
    /// The frame of each node, or that of the node that it was folded into; −1 for the root.
    var shown = [Int](repeating: -1, count: stacks.count)
    for node in 1..<max(stacks.count, 1) {
      let parent = Int(stacks.parents[node])
      let frame = Int(stacks.frames[node])
      let caller = shown[parent]
      var target = nodes[parent]
      shown[node] = caller
      callers[node] = callers[parent]
      nodes[node] = target
      switch kinds[frame] {
      case .thunk where target != 0: continue
      case .to(let name) where caller >= 0 && frames[caller].function == name: continue
      default: break
      }
      if caller >= 0, let kind = kinds[caller], Self.calls(kind, frames[frame].function) {
        target = callers[parent]
      }
      shown[node] = frame
      callers[node] = target
      nodes[node] = result.stack(parent: target, frame: targets[frame])
    }
    let rows = samples.map { sample in
      var sample = sample
      sample.stack = nodes[sample.stack]
      return sample
    }
    result.add(rows, columns: columns)
    return result
  }

  /// Whether a function is the one that another is there for.
  private static func calls(_ forwarding: Forwarding, _ function: String) -> Bool {
    switch forwarding {
    case .thunk: false
    case .to(let name): function == name
    case .method(let name):
      function.hasSuffix(name)
        && function.utf8.dropLast(name.utf8.count).last == UInt8(ascii: ".")
    }
  }
}
