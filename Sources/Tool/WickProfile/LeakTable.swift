/// What was allocated and is still live at the end, by stack.
///
/// Memory that was just taken into use is not yet to be freed, so that young objects are left out.
public struct LeakTable: Sendable {
  /// What is left out.
  public enum Threshold: Hashable, Sendable {
    /// Objects that were allocated in the last tenth of the recorded time.
    case youngestTenth
    /// Objects that were live for less, in nanoseconds; and those of which it is not known.
    case age(UInt64)
  }

  /// Objects of one stack.
  public struct Row: Hashable, Sendable {
    /// Node of `profile.stacks`.
    public var stack: Int
    /// Live objects, and what is estimated from.
    public var error: SamplingError
    /// Live bytes.
    public var bytes: Int64
    /// Mean time since the objects were allocated; nil where it was not recorded.
    public var meanAge: UInt64?
    /// Names of the objects' types, those of most bytes first; nil for what is of no known type.
    public var types: [String?]

    /// Live objects.
    public var objects: Int64 { error.objects }
  }

  /// Sums of rows while they grow.
  private struct Sums {
    var objects: Int64 = 0
    var followed: Int64 = 0
    var bytes: Int64 = 0
    var agedObjects: Int64 = 0
    /// Σ objects · age.
    var ages: Double = 0
    var types: [String?: Int64] = [:]
  }

  /// The stacks of rows: by function and line, without addresses and types.
  public let profile: Profile
  /// By descending bytes, then objects, then in the order of the profile.
  public let rows: [Row]
  /// All rows.
  public let total: (objects: Int64, bytes: Int64)
  /// What was left out as too young.
  public let young: (objects: Int64, bytes: Int64)
  /// Objects of a smaller age are left out; in nanoseconds.
  public let leastAge: UInt64
  /// Whether ages are known of anything.
  public let hasAges: Bool

  /// Finds what is live; nil where allocations were not recorded.
  ///
  /// - Parameters:
  ///   - profile: A profile with types of objects, symbolicated as far as it can be.
  ///   - threshold: What is left out.
  public init?(_ profile: Profile, threshold: Threshold = .youngestTenth) {
    func column(_ type: ValueType) -> [Int64]? {
      profile.valueTypes.firstIndex(of: type).map { profile.columns[$0] }
    }
    guard let objects = column(.liveObjects), let bytes = column(.liveSpace),
      let followed = column(.followedLive)
    else { return nil }
    let leastAge =
      switch threshold {
      case .youngestTenth: profile.origin.durationNanoseconds / 10
      case .age(let age): age
      }
    self.leastAge = leastAge
    let types = profile.objectTypes
    let ages = ProcessAges(profile)
    hasAges = ages.areKnown
    let merged = profile.replacingFrames { frame in
      guard frame.kind != .objectType else { return [] }
      var place = frame
      place.function = profile.name(of: frame)
      place.address = nil
      return [place]
    }
    self.profile = merged
    var sums: [Int: Sums] = [:]
    var total = (objects: Int64(0), bytes: Int64(0))
    var young = total
    for row in profile.samples.indices where objects[row] != 0 || bytes[row] != 0 {
      let age = ages.age(of: profile.samples[row])
      // What has no time may have been there from the start.
      let isOld = age.map { $0 >= leastAge } ?? (threshold == .youngestTenth)
      guard isOld else {
        young.objects = young.objects.addingSaturating(objects[row])
        young.bytes = young.bytes.addingSaturating(bytes[row])
        continue
      }
      total.objects = total.objects.addingSaturating(objects[row])
      total.bytes = total.bytes.addingSaturating(bytes[row])
      var sum = sums[merged.samples[row].stack] ?? Sums()
      sum.objects = sum.objects.addingSaturating(objects[row])
      sum.followed = sum.followed.addingSaturating(followed[row])
      sum.bytes = sum.bytes.addingSaturating(bytes[row])
      if let age {
        sum.agedObjects = sum.agedObjects.addingSaturating(objects[row])
        sum.ages += Double(objects[row]) * Double(age)
      }
      let type = types[profile.samples[row].stack]
      sum.types[type] = (sum.types[type] ?? 0).addingSaturating(bytes[row])
      sums[merged.samples[row].stack] = sum
    }
    (self.total, self.young) = (total, young)
    let interval = profile.largestInterval
    rows = sums.map { Self.row($0, $1, interval) }.sorted { first, second in
      if first.bytes != second.bytes { return first.bytes > second.bytes }
      if first.objects != second.objects { return first.objects > second.objects }
      return first.stack < second.stack
    }
  }

  private static func row(_ stack: Int, _ sums: Sums, _ interval: UInt64) -> Row {
    let types = sums.types.sorted { first, second in
      if first.value != second.value { return first.value > second.value }
      guard let name = first.key, let other = second.key else { return first.key != nil }
      return name < other
    }
    let mean = sums.agedObjects > 0 ? sums.ages / Double(sums.agedObjects) : 0
    return Row(
      stack: stack,
      error: SamplingError(
        followed: sums.followed, objects: sums.objects, bytes: sums.bytes, interval: interval),
      bytes: sums.bytes,
      meanAge: sums.agedObjects > 0 ? (mean < 1.8e19 ? UInt64(mean) : .max) : nil,
      types: types.map(\.key))
  }
}

/// When it was listed what was live, process by process.
private struct ProcessAges {
  /// By process id, ascending: a process has several lists after an exec.
  private var times: [UInt32: [UInt64]] = [:]
  private let pids: [UInt32]

  init(_ profile: Profile) {
    pids = profile.threads.map(\.pid)
    for process in profile.origin.processes {
      guard let time = process.heap?.listNanoseconds else { continue }
      times[process.pid, default: []].append(time)
    }
    times = times.mapValues { $0.sorted() }
  }

  var areKnown: Bool { !times.isEmpty }

  /// Time from a row's allocation to the list that it is from; nil where that is not known.
  func age(of sample: Profile.Sample) -> UInt64? {
    guard sample.nanoseconds > 0, let thread = sample.thread else { return nil }
    return times[pids[thread]]?.first { $0 >= sample.nanoseconds }.map { $0 - sample.nanoseconds }
  }
}
