/// What a thread did when it was looked at.
public enum ThreadState: String, Hashable, Sendable {
  /// Runs, or waits for a processor.
  case running
  /// Waits, and a signal would wake it.
  case sleeping
  /// Waits in the kernel, and no signal wakes it.
  case uninterruptible
  /// Was stopped by a signal.
  case stopped
  /// Stands still for a debugger.
  case traced
  /// Has ended.
  case ended
  /// Is in a state that this program does not know.
  case unknown

  /// By the letter in `/proc/PID/stat`; see proc(5).
  init(letter: Character?) {
    switch letter {
    case "R": self = .running
    case "S", "I": self = .sleeping
    case "D": self = .uninterruptible
    case "T": self = .stopped
    case "t": self = .traced
    case "Z", "X", "x": self = .ended
    default: self = .unknown
    }
  }

  /// Whether it does not go on by itself at any moment.
  var isQuiet: Bool { self == .sleeping || self == .uninterruptible || self == .stopped }
}
