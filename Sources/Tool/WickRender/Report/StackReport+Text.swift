internal import WickProfile

extension StackReport {
  /// At most so many names of a group's threads are shown.
  private static let nameLimit = 6
  /// A recursion through more functions than this is shown in full.
  private static let cycleLimit = 12
  /// A cycle of frames is shown once if it comes so often.
  private static let leastRepeats = 4

  /// Writes the threads, innermost frames first.
  public func writeText(to output: inout some TextOutputStream) {
    let count = threads.count == 1 ? "1 thread" : "\(threads.count) threads"
    output.write("Process \(pid) (\(TextTable.harmless(name))): \(count)\(pauses)\n")
    if hasEnded { output.write("It ended meanwhile: threads may be missing.\n") }
    for group in groups() {
      output.write("\n")
      for line in headline(of: group) { output.write("\(TextTable.harmless(line))\n") }
      var cells = TextTable([.right, .left, .left, .left])
      for row in rows(of: group.frames) { cells.add(row) }
      var text = ""
      cells.write(to: &text)
      for line in text.split(separator: "\n") { output.write("  \(line)\n") }
    }
  }

  /// What the look has cost the process.
  private var pauses: String {
    let stopped = threads.map(\.pauseNanoseconds).filter { $0 > 0 }
    guard let longest = stopped.max() else { return ", none stopped for this" }
    return ", \(stopped.count) stopped for this, the longest for \(longest / 1000) µs"
  }

  private func headline(of group: Group) -> [String] {
    let first = group.threads[0]
    guard group.threads.count > 1 else {
      return ["Thread \(first.tid) \(first.name): \(first.activity)"]
    }
    let activities = Self.counted(group.threads.map(\.activity))
    let states = activities.map { activity, count in
      activities.count == 1 ? activity : "\(count) \(activity)"
    }
    let names = Self.counted(group.threads.map(\.name)).map(\.0)
    var list = names.prefix(Self.nameLimit).map { name in
      "\(name) \(Self.ranges(group.threads.filter { $0.name == name }.map(\.tid)))"
    }
    if names.count > Self.nameLimit { list.append("\(names.count - Self.nameLimit) more") }
    return [
      "\(group.threads.count) threads: \(states.joined(separator: ", "))",
      "  \(list.joined(separator: "; "))",
    ]
  }

  /// Each text with how often it comes, in the order of the first.
  private static func counted(_ texts: [String]) -> [(String, Int)] {
    var counts: [String: Int] = [:]
    var order: [String] = []
    for text in texts {
      if counts[text] == nil { order.append(text) }
      counts[text, default: 0] += 1
    }
    return order.map { ($0, counts[$0] ?? 0) }
  }

  /// Ascending numbers with neighbors drawn together: "4–7, 9".
  private static func ranges(_ numbers: [Int32]) -> String {
    var ranges: [ClosedRange<Int32>] = []
    for number in numbers {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound)"
    }.joined(separator: ", ")
  }

  /// A row for each frame, and one for what a recursion repeats.
  private func rows(of frames: [Int]) -> [[String]] {
    var rows: [[String]] = []
    var index = 0
    while index < frames.count {
      let (length, count) = Self.cycle(in: frames, at: index)
      for place in index..<index + length { rows.append(row(profile.frames[frames[place]], place)) }
      index += length * count
      if count > 1 {
        let what = length == 1 ? "frame above comes" : "\(length) frames above come"
        rows.append(["…", "the \(what) \(count - 1) more times", "", ""])
      }
    }
    return rows
  }

  private func row(_ frame: Frame, _ number: Int) -> [String] {
    if frame.kind == .truncated { return ["", TextTable.harmless(frame.function), "", ""] }
    let name = TextTable.harmless(profile.name(of: frame))
    let module = frame.module.map { "(\(TextTable.harmless(profile.modules[$0].name)))" }
    return [
      "#\(number)", frame.isInlined ? "\(name) [inlined]" : name,
      TextTable.harmless(line(of: frame) ?? ""), module ?? "",
    ]
  }

  /// How many frames from one on repeat, and how often they come in a row; 1 of 1 if none do.
  private static func cycle(in frames: [Int], at start: Int) -> (length: Int, count: Int) {
    for length in 1...cycleLimit where start + length * leastRepeats <= frames.count {
      var end = start + length
      while end < frames.count, frames[end] == frames[end - length] { end += 1 }
      let count = (end - start) / length
      if count >= leastRepeats { return (length, count) }
    }
    return (1, 1)
  }
}
