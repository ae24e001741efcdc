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

  private var texts = RangeTable()
  private var tasks: [Task] = []
  private var names: [String] = []
  private var threads: [IDs: Int] = [:]
  /// The text that each thread was last seen with.
  private var latest: [Int] = []

  /// Returns the thread of an event, added to the profile on first use.
  mutating func task(
    of bytes: RawSpan, _ event: PerfScriptEvent, in profile: inout Profile
  ) -> Task {
    let place = texts.place(of: bytes, event.task)
    let id = place.id ?? add(bytes, event, at: place, to: &profile)
    latest[tasks[id].thread] = id
    return tasks[id]
  }

  /// Gives each thread of the profile its latest name.
  func nameThreads(of profile: inout Profile) {
    for (thread, text) in latest.enumerated() { profile.threads[thread].name = names[text] }
  }

  private mutating func add(
    _ bytes: RawSpan, _ event: PerfScriptEvent, at place: RangeTable.Place,
    to profile: inout Profile
  ) -> Int {
    let id = texts.add(event.task, at: place)
    let name = bytes.string(event.comm)
    let ids = IDs(pid: event.pid, tid: event.tid)
    let thread = threads[ids] ?? latest.count
    if thread == latest.count {
      threads[ids] = thread
      latest.append(id)
      profile.threads.append(Profile.Thread(pid: ids.pid, tid: ids.tid, name: name))
    }
    let function = String(name.map { $0 == " " ? "_" : $0 })
    let root = profile.stack(parent: 0, frame: profile.intern(Frame(function: function)))
    tasks.append(Task(thread: thread, root: root))
    names.append(name)
    return id
  }
}
