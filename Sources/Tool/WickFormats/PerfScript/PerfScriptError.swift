/// Why bytes are no `perf script` text.
public enum PerfScriptError: Error, Equatable, Sendable {
  /// No line begins a sample; `firstLine` is the first line that had to be ignored, from 1, nil
  /// where there was none.
  case noSamples(ignoredLines: Int, firstLine: Int?)
  /// There are samples, but none of the event that was asked for.
  case noEvent(known: [String])
}
