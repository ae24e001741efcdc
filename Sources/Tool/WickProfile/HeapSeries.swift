/// What was live in all processes of a profile together, over time.
public struct HeapSeries: Hashable, Sendable {
  /// By time; each holds up to the next.
  public let points: [HeapHistory.Point]

  /// Adds up the processes, each from its first point to its last and one more interval.
  public init(_ origin: Origin) {
    var events: [(time: UInt64, process: Int, bytes: Int64, objects: Int64)] = []
    for (process, heap) in origin.processes.map(\.heap).enumerated() {
      guard let points = heap?.points, let last = points.last else { continue }
      for point in points {
        events.append((point.nanoseconds, process, point.bytes, point.objects))
      }
      // What the process had goes with it; that it was not asked since is no end yet.
      let times = points.map(\.nanoseconds)
      let interval = zip(times, times.dropFirst()).map { $0 < $1 ? $1 - $0 : 0 }.max() ?? 0
      let (end, overflow) = last.nanoseconds.addingReportingOverflow(interval)
      if !overflow { events.append((end, process, 0, 0)) }
    }
    let latest = events.filter { $0.bytes != 0 || $0.objects != 0 }.map(\.time).max() ?? 0
    // Events of one time stay in order, so that a process's end comes behind its last point.
    let order = events.indices.sorted {
      events[$0].time != events[$1].time ? events[$0].time < events[$1].time : $0 < $1
    }
    var values: [Int: (bytes: Int64, objects: Int64)] = [:]
    var points: [HeapHistory.Point] = []
    var sum = (bytes: Int128(0), objects: Int128(0))
    for event in order.map({ events[$0] }) where event.time <= latest {
      let known = values[event.process] ?? (0, 0)
      sum.bytes += Int128(event.bytes) - Int128(known.bytes)
      sum.objects += Int128(event.objects) - Int128(known.objects)
      values[event.process] = (event.bytes, event.objects)
      if points.last?.nanoseconds == event.time { points.removeLast() }
      points.append(
        HeapHistory.Point(
          nanoseconds: event.time, bytes: Int64(clamping: sum.bytes),
          objects: Int64(clamping: sum.objects)))
    }
    self.points = points
  }

  /// The first of the points with the most bytes; nil where there are none.
  public var highest: HeapHistory.Point? {
    points.max { first, second in
      first.bytes != second.bytes
        ? first.bytes < second.bytes : first.nanoseconds > second.nanoseconds
    }
  }
}
