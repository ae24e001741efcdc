public import WickProfile

/// What `perf script` prints: a line for each event, below it a line for each frame, leaf first.
///
/// Written by `perf script` of any version and by what imitates it, such as SimplePerf's
/// `report_sample.py`. The lines are perf's `tools/perf/builtin-script.c` and
/// `util/evsel_fprintf.c`.
public enum PerfScript {
  /// More lines than this are not looked at to recognize the format.
  private static let recognizedLines = 1000

  /// Reads a text into a profile, one row per sample.
  ///
  /// Each stack has the thread's name above its first function, with `_` for spaces, as flame graph
  /// tools draw it. Names are as perf prints them, without the offset behind them; a function that
  /// it does not know is called by its module, as `[libc.so.6]`. The column `samples` counts rows.
  /// Where the events have periods, a column named after the event has these. An address is as
  /// perf prints it, relative to its module or, by older versions, at run time. Events without a
  /// process have the process 0.
  ///
  /// - Parameters:
  ///   - bytes: The whole text; what is not UTF-8 is repaired.
  ///   - event: The event to count; nil for the first one. Samples of others are left out and
  ///     counted in `origin.warnings`.
  /// - Returns: The profile.
  /// - Throws: `PerfScriptError` if there is no sample in it.
  public static func read(
    _ bytes: RawSpan, event: String? = nil
  ) throws(PerfScriptError) -> Profile {
    var reader = PerfScriptReader(bytes, event: event)
    reader.read(bytes)
    return try reader.finish(bytes)
  }

  /// Whether the first lines hold an event with its time, or one without above a frame.
  public static func recognizes(_ bytes: RawSpan) -> Bool {
    var offset = 0
    var count = 0
    var followsUntimedEvent = false
    while offset < bytes.byteCount, count < recognizedLines {
      let end = bytes.endOfLine(from: offset)
      let line = bytes.trimmingEnd(offset..<end)
      offset = end + 1
      count += 1
      if PerfScriptEvent(bytes, timed: line) != nil { return true }
      if followsUntimedEvent, PerfScriptFrame(bytes, line)?.module != nil { return true }
      followsUntimedEvent = PerfScriptEvent(bytes, untimed: line) != nil
    }
    return false
  }
}
