/// What stands below the functions of a stack as a frame of its own.
public struct StackRoots: OptionSet, Hashable, Sendable {
  /// The stack's process, a frame of `Module.process`.
  public static let process = StackRoots(rawValue: 1)
  /// The stack's thread, a frame of `Module.thread`; above its process.
  public static let thread = StackRoots(rawValue: 2)

  /// The set's bits.
  public let rawValue: Int

  /// Creates a set of its bits.
  public init(rawValue: Int) {
    self.rawValue = rawValue
  }
}

extension Module {
  /// What stands for a module in frames that are threads.
  public static let thread = Module(path: "[thread]", buildID: [], loadBias: 0, extent: 0..<0)
  /// What stands for a module in frames that are processes.
  public static let process = Module(path: "[process]", buildID: [], loadBias: 0, extent: 0..<0)
  /// What stands for a module in frames that are types of objects.
  public static let objectType = Module(path: "[type]", buildID: [], loadBias: 0, extent: 0..<0)

  /// Whether frames of the module are code, and no threads, processes or types.
  var isCode: Bool { self != .thread && self != .process && self != .objectType }
}

extension Profile {
  /// Returns this profile with each sample's process, thread or both at the root of its stack.
  ///
  /// Rows and values stay as they are; rows of which no thread is known keep their stacks.
  public func rooted(at roots: StackRoots) -> Profile {
    guard !roots.isEmpty, !threads.isEmpty else { return self }
    var result = Profile(valueTypes: valueTypes)
    result.modules = modules + [.process, .thread]
    result.threads = threads
    result.origin = origin
    let frames = self.frames.map { result.intern($0) }
    let rootFrames = self.rootFrames(roots, processModule: modules.count)
    let rootNodes = rootFrames.map { frames in
      frames.reduce(0) { result.stack(parent: $0, frame: result.intern($1)) }
    }
    var placed = PlacedStacks()
    let rows = samples.map { sample in
      var sample = sample
      let root = sample.thread.map { rootNodes[$0] } ?? 0
      sample.stack = placed.node(of: sample.stack, in: stacks, below: root) {
        result.stack(parent: $0, frame: frames[$1])
      }
      return sample
    }
    result.add(rows, columns: columns)
    return result
  }

  /// For each thread what stands below its stacks, root first.
  private func rootFrames(_ roots: StackRoots, processModule: Int) -> [[Frame]] {
    let processes = Dictionary(uniqueKeysWithValues: processes.map { ($0.pid, $0.title) })
    return threads.map { thread in
      var frames: [Frame] = []
      if roots.contains(.process), let title = thread.processID.flatMap({ processes[$0] }) {
        frames.append(Frame(module: processModule, function: title))
      }
      if roots.contains(.thread) {
        frames.append(Frame(module: processModule + 1, function: thread.title))
      }
      return frames
    }
  }
}
