/// The line that begins a sample: `comm pid/tid [cpu] time: period event: arguments`.
///
/// The thread's name may hold anything, numbers too, so a line is known by its time, and what is
/// before that is split from its end.
struct PerfScriptEvent {
  /// The thread's name.
  var comm: Range<Int>
  /// The thread's name and ids as one text.
  var task: Range<Int>
  /// Process id, 0 where the line has the thread's only.
  var pid: UInt32
  /// Thread id.
  var tid: UInt32
  /// Clock of the machine; nil where the line has no time.
  var nanoseconds: UInt64?
  /// What the sample stands for, in the event's unit.
  var period: Int64?
  /// The event's name without its colon, empty where the line has none.
  var name: Range<Int>
  /// What follows: a tracepoint's arguments, or the one frame of a sample without a call chain.
  var rest: Range<Int>
  /// Whether the line is of a record that is no sample, as `--show-mmap-events` prints them.
  var isSideBand = false

  /// Splits a line that has a time; nil where it has none.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - line: The line without white space at its end.
  init?(_ bytes: RawSpan, timed line: Range<Int>) {
    let line = bytes.trimmingStart(line)
    var words = PerfScriptWords(line)
    while let word = words.next(bytes) {
      guard let time = Self.time(bytes, word),
        let ids = words.idsBefore(bytes), ids.range.lowerBound > line.lowerBound
      else { continue }
      self.init(bytes, line, ids)
      nanoseconds = time
      splitEvent(bytes, bytes.trimmingStart(word.upperBound..<line.upperBound))
      return
    }
    return nil
  }

  /// Splits a line without a time, which has to end in the event's name; nil for any other.
  ///
  /// - Parameters:
  ///   - bytes: The input.
  ///   - line: The line without white space at its end.
  init?(_ bytes: RawSpan, untimed line: Range<Int>) {
    let line = bytes.trimmingStart(line)
    guard let last = line.last, bytes.byte(at: last) == UInt8(ascii: ":") else { return nil }
    var words = PerfScriptWords(line)
    while words.next(bytes) != nil {}
    let event = words.current
    // With one number before the event it is an id, with two the second is the period.
    var period: Int64?
    if let value = bytes.decimal(words.before.0),
      PerfScriptIDs(bytes, words.before.1) != nil
        || PerfScriptWords.isCPU(bytes, words.before.1)
    {
      period = Int64(clamping: value)
      words.forgetNewest()
    }
    guard event.count > 1, let ids = words.idsBefore(bytes),
      ids.range.lowerBound > line.lowerBound
    else { return nil }
    self.init(bytes, line, ids)
    self.period = period
    name = event.lowerBound..<event.upperBound - 1
  }

  private init(_ bytes: RawSpan, _ line: Range<Int>, _ ids: PerfScriptIDs) {
    comm = bytes.trimmingEnd(line.lowerBound..<ids.range.lowerBound)
    task = line.lowerBound..<ids.range.upperBound
    (pid, tid) = (ids.pid, ids.tid)
    name = line.upperBound..<line.upperBound
    rest = name
  }

  /// Splits what follows the time: a period, an event of one or two words (`raw 0x1c2:`), the rest.
  private mutating func splitEvent(_ bytes: RawSpan, _ text: Range<Int>) {
    isSideBand = bytes.hasPrefix("PERF_RECORD_", text)
    var words = PerfScriptWords(text)
    var event = text
    guard let first = words.next(bytes) else { return }
    if let value = bytes.decimal(first) {
      period = Int64(clamping: value)
      event = bytes.trimmingStart(first.upperBound..<text.upperBound)
      guard words.next(bytes) != nil else { return }
    }
    if bytes.byte(at: words.current.upperBound - 1) == UInt8(ascii: ":")
      || words.next(bytes).map({ bytes.byte(at: $0.upperBound - 1) == UInt8(ascii: ":") }) ?? false
    {
      name = event.lowerBound..<words.current.upperBound - 1
      rest = bytes.trimmingStart(words.current.upperBound..<text.upperBound)
    } else {
      // No event: what looked like a period is the address of a frame.
      period = nil
      rest = text
    }
  }

  /// The time that a word like `1444.257343:` is, in nanoseconds, held at the type's bound.
  private static func time(_ bytes: RawSpan, _ word: Range<Int>) -> UInt64? {
    let end = word.upperBound - 1
    guard bytes.byte(at: end) == UInt8(ascii: ":") else { return nil }
    var point = word.lowerBound
    while point < end, bytes.byte(at: point) != UInt8(ascii: ".") { point += 1 }
    guard point < end, let seconds = bytes.decimal(word.lowerBound..<point),
      bytes.decimal(point + 1..<end) != nil
    else { return nil }
    var nanoseconds: UInt64 = 0
    for place in 1...9 {
      let digit = point + place < end ? bytes.byte(at: point + place).decimalDigit ?? 0 : 0
      nanoseconds = nanoseconds * 10 + UInt64(digit)
    }
    let (whole, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isOverflow) = whole.addingReportingOverflow(nanoseconds)
    return isTooLarge || isOverflow ? .max : sum
  }
}
