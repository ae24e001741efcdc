extension Profile {
  /// A profiled process: all that ran under one process id.
  public struct Process: Hashable, Sendable {
    /// Process id.
    public var pid: UInt32
    /// Names of the programs that it was, one after the other: several after an exec, none where
    /// they are not known.
    public var programs: [String] = []
    /// Command line of the last program; nil where it was not recorded.
    public var command: String?

    /// What it is called: its programs, the last as it calls itself.
    public var name: String {
      guard let program = programs.last else { return "process" }
      return (programs.dropLast() + [ownTitle ?? program]).joined(separator: " → ")
    }

    /// What servers write in the place of their command line to tell their processes apart, such as
    /// "nginx: worker process"; nil for an ordinary command line.
    private var ownTitle: String? {
      guard let program = programs.last, let command, command.hasPrefix("\(program): ") else {
        return nil
      }
      let words = command.split(separator: " ").joined(separator: " ")
      return words.count > Self.titleLimit ? "\(words.prefix(Self.titleLimit))…" : words
    }

    /// More characters than this are left out of what a process calls itself.
    private static let titleLimit = 60

    /// Name and id, as views show it.
    public var title: String { "\(name) (pid \(pid))" }

    fileprivate init(pid: UInt32) {
      self.pid = pid
    }

    /// Adds a later image; one that was started anew is no other program.
    fileprivate mutating func add(_ image: Origin.Process) {
      if let name = image.name, programs.last != String(name) { programs.append(String(name)) }
      command = image.info["command"]
    }
  }

  /// The processes that were recorded or have threads, each once: in file order, then in that of
  /// their threads.
  ///
  /// One whose program is not known is called as its main thread is, else as its first.
  public var processes: [Process] {
    var places: [UInt32: Int] = [:]
    var processes: [Process] = []
    func place(of pid: UInt32) -> Int {
      if let known = places[pid] { return known }
      places[pid] = processes.count
      processes.append(Process(pid: pid))
      return processes.count - 1
    }
    for image in origin.processes { processes[place(of: image.pid)].add(image) }
    let isNamed = processes.map { !$0.programs.isEmpty }
    for thread in threads {
      guard let pid = thread.processID else { continue }
      let place = place(of: pid)
      if thread.name.isEmpty || place < isNamed.count && isNamed[place] { continue }
      if thread.tid == pid || processes[place].programs.isEmpty {
        processes[place].programs = [thread.name]
      }
    }
    return processes
  }
}

extension Profile.Thread {
  /// The process of the thread; nil where the source names threads only (as `perf script` may), which
  /// is 0 for `pid`: the kernel's own thread 0 is of process 0.
  public var processID: UInt32? { pid == 0 && tid != 0 ? nil : pid }

  /// Name and id, as views show it.
  public var title: String { "\(name) (tid \(tid))" }
}
