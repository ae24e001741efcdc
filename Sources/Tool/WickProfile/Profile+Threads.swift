extension Module {
  /// What stands for a module in frames that are threads or processes.
  public static let thread = Module(path: "[thread]", buildID: [], loadBias: 0, extent: 0..<0)
}

extension Profile {
  /// Returns this profile with each sample's thread as the root of its stack, as a frame of
  /// `Module.thread`, below its process where there are several.
  ///
  /// Rows and values stay as they are; rows without a thread keep their stacks.
  public func rootedAtThreads() -> Profile {
    var result = Profile(valueTypes: valueTypes)
    result.modules = modules + [.thread]
    result.threads = threads
    result.origin = origin
    let frames = self.frames.map { result.intern($0) }
    let roots = threads.map { thread in
      threadNames(of: thread).reduce(0) { parent, name in
        let frame = result.intern(Frame(module: modules.count, function: name))
        return result.stack(parent: parent, frame: frame)
      }
    }
    var placed = PlacedStacks()
    let rows = samples.map { sample in
      var sample = sample
      let root = sample.thread.map { roots[$0] } ?? 0
      sample.stack = placed.node(of: sample.stack, in: stacks, below: root) {
        result.stack(parent: $0, frame: frames[$1])
      }
      return sample
    }
    result.add(rows, columns: columns)
    return result
  }

  /// What stands above a thread's stacks: its process if there are several, then itself.
  private func threadNames(of thread: Thread) -> [String] {
    let own = "\(thread.name)-\(thread.tid)"
    return processName(above: thread).map { [$0, own] } ?? [own]
  }

  /// The process of a thread as `name-pid`; nil if all threads are of one process.
  package func processName(above thread: Thread) -> String? {
    let processes = origin.processes
    guard processes.contains(where: { $0.pid != processes[0].pid }) else { return nil }
    // After an exec the last image is what the process is known as.
    let process = processes.last { $0.pid == thread.pid }
    return "\(process?.name ?? "process")-\(thread.pid)"
  }
}
