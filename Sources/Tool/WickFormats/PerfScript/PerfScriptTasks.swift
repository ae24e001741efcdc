internal import WickProfile

/// The threads of a text, by the bytes of their names and ids.
struct PerfScriptTasks {
  /// A thread under one of the names that it had.
  struct Task {
    /// Index into `Profile.threads`.
    var thread: Int
    /// The stack that is only the name.
    var root: Int
  }

  private struct IDs: Hashable {
    var pid: UInt32
    var tid: UInt32
  }

  /// Indices into `names`, and the thread.
  private var tasks = RangeTable<(name: Int, task: Task)>()
  private var names: [String] = []
  private var threads: [IDs: Int] = [:]
  /// Index into `names` of each thread's latest name.
  private var latest: [Int] = []

  /// Returns the thread of an event, added to the profile on first use.
  mutating func task(
    of bytes: RawSpan, _ event: PerfScriptEvent, in profile: inout Profile
  ) -> Task {
    let hash = tasks.hasher.hash(bytes, event.task)
    let known = tasks.value(of: bytes, event.task, hash: hash)
    let (name, task) = known ?? (names.count, make(bytes, event, in: &profile))
    if known == nil { tasks.add((name, task), for: event.task, hash: hash) }
    latest[task.thread] = name
    return task
  }

  /// Gives each thread of the profile its latest name.
  func nameThreads(of profile: inout Profile) {
    for (thread, name) in latest.enumerated() { profile.threads[thread].name = names[name] }
  }

  private mutating func make(
    _ bytes: RawSpan, _ event: PerfScriptEvent, in profile: inout Profile
  ) -> Task {
    let name = bytes.string(event.comm)
    let ids = IDs(pid: event.pid, tid: event.tid)
    let thread = threads[ids] ?? latest.count
    if thread == latest.count {
      threads[ids] = thread
      latest.append(names.count)
      profile.threads.append(Profile.Thread(pid: ids.pid, tid: ids.tid, name: name))
    }
    names.append(name)
    let function = String(name.map { $0 == " " ? "_" : $0 })
    let root = profile.stack(parent: 0, frame: profile.intern(Frame(function: function)))
    return Task(thread: thread, root: root)
  }
}
