public import WickProfile

/// What the threads of a process do at one moment, with their stacks.
public struct StackReport: ProfileReport {
  /// What is known of a thread besides its stack.
  public struct Thread: Hashable, Sendable {
    /// Thread id.
    public var tid: Int32
    /// Its name.
    public var name: String
    /// A word such as `running` or `sleeping`.
    public var state: String
    /// Name of the system call that it waits in.
    public var systemCall: String?
    /// The kernel's function that it waits in.
    public var waitChannel: String?
    /// How long it was stopped for this; 0 if it was not.
    public var pauseNanoseconds: UInt64
    /// Node of the profile's stacks.
    public var stack: Int

    /// Creates a thread.
    public init(
      tid: Int32, name: String, state: String, systemCall: String? = nil,
      waitChannel: String? = nil, pauseNanoseconds: UInt64 = 0, stack: Int
    ) {
      self.tid = tid
      self.name = name
      self.state = state
      self.systemCall = systemCall
      self.waitChannel = waitChannel
      self.pauseNanoseconds = pauseNanoseconds
      self.stack = stack
    }

    /// What it does, for people.
    var activity: String {
      let words = state == "uninterruptible" ? "waiting uninterruptibly" : state
      let place = systemCall ?? (state == "uninterruptible" ? waitChannel : nil)
      return place.map { "\(words) in \($0)" } ?? words
    }
  }

  /// Threads that are shown together.
  struct Group {
    /// At least one.
    var threads: [Thread]
    /// Indices of the profile's frames, leaf first.
    var frames: [Int]
  }

  /// Id of the process.
  let pid: Int32
  /// Its name.
  let name: String
  let profile: Profile
  /// In the order of their ids.
  let threads: [Thread]
  /// Whether threads of the same stack are shown as one.
  let isGrouped: Bool
  /// Whether the process ended while it was looked at.
  let hasEnded: Bool
  /// Short names of the files in `profile`.
  let names: SourceNames

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - profile: Has the stacks, symbolicated as far as they can be.
  ///   - threads: In the order to show them in.
  ///   - pid: Id of the process.
  ///   - name: Its name.
  ///   - isGrouped: Whether threads of the same stack are shown as one.
  ///   - hasEnded: Whether the process ended meanwhile, so that threads may be missing.
  public init(
    _ profile: Profile, threads: [Thread], pid: Int32, name: String, isGrouped: Bool,
    hasEnded: Bool
  ) {
    self.profile = profile
    self.threads = threads
    self.pid = pid
    self.name = name
    self.isGrouped = isGrouped
    self.hasEnded = hasEnded
    names = SourceNames(profile.frames.compactMap(\.file))
  }

  /// Threads by what is shown of their stacks, in the order of their first.
  func groups() -> [Group] {
    var groups: [Group] = []
    var places: [[Int]: Int] = [:]
    for thread in threads {
      let frames = profile.stacks.framesLeafFirst(of: thread.stack)
      if isGrouped, let place = places[frames] {
        groups[place].threads.append(thread)
      } else {
        places[frames] = groups.count
        groups.append(Group(threads: [thread], frames: frames))
      }
    }
    return groups
  }

  /// The source line of a frame; nil where it is not known.
  func line(of frame: Frame) -> String? {
    guard let file = frame.file else { return nil }
    return "\(names[file]):\(frame.line == 0 ? "?" : String(frame.line))"
  }
}
