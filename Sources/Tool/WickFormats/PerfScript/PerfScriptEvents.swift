internal import WickProfile

/// The events of a text, of which one is counted.
struct PerfScriptEvents {
  /// The event that is counted; nil until the first sample, where none was asked for.
  private(set) var counted: String?
  private var ids = RangeTable<Int>()
  private var names: [String] = []
  private var sampleCounts: [Int] = []

  init(counted: String?) { self.counted = counted }

  /// Notes a sample; returns whether it is of the event that is counted.
  mutating func isCounted(_ bytes: RawSpan, _ name: Range<Int>) -> Bool {
    let hash = ids.hasher.hash(bytes, name)
    let id = ids.value(of: bytes, name, hash: hash) ?? names.count
    if id == names.count {
      ids.add(id, for: name, hash: hash)
      names.append(bytes.string(name))
      sampleCounts.append(0)
      counted = counted ?? names[id]
    }
    sampleCounts[id] += 1
    return names[id] == counted
  }

  /// The names of all events, in the order of their first samples.
  var known: [String] { names }

  /// What there is to say about samples that are not counted.
  var warning: String? {
    guard let counted else { return nil }
    let others = names.indices.filter { names[$0] != counted }
    guard !others.isEmpty else { return nil }
    let count = others.reduce(0) { $0 + sampleCounts[$1] }
    let list = others.map { "'\(names[$0])'" }.joined(separator: ", ")
    return "Left out \(count) samples of other events than '\(counted)': \(list)."
  }

  /// The columns: samples, and what the event's periods sum up to where it has any.
  static func valueTypes(_ bytes: RawSpan, counted: String?) -> [ValueType] {
    var offset = 0
    while offset < bytes.byteCount {
      let end = bytes.endOfLine(from: offset)
      let line = bytes.trimmingEnd(offset..<end)
      offset = end + 1
      guard
        let event = PerfScriptEvent(bytes, timed: line) ?? PerfScriptEvent(bytes, untimed: line),
        !event.isSideBand
      else { continue }
      let name = bytes.string(event.name)
      guard counted == nil || counted == name else { continue }
      guard event.period != nil else { break }
      return [
        .samples,
        ValueType(
          name: name.isEmpty ? "period" : name, unit: isClock(name) ? "nanoseconds" : "count"),
      ]
    }
    return [.samples]
  }

  /// Whether an event's periods are CPU time.
  static func isClock(_ name: String) -> Bool {
    let event = name.prefix { $0 != ":" }
    return event == "cpu-clock" || event == "task-clock"
  }
}
