internal import WickProfile

/// Frames of a thread as addresses.
struct WalkedStack {
  /// One frame.
  struct Step: Hashable {
    /// Runtime address.
    var address: UInt64
    var kind: Frame.Kind
    /// Whether it is the code that a signal handler returns to.
    var isSignalReturn = false
  }

  /// Why a stack does not reach its thread's entry.
  enum End: Hashable {
    /// It does.
    case whole
    case tooDeep, unreadable, implausible, noRule
    /// A register is needed that is only known of a thread that was stopped.
    case unknownRegister
    /// So it is, but a stop could cut the thread's call short.
    case transfer
    /// The thread waits in the kernel and did not stop.
    case unresponsive
    case refused(Int32)
    case ended

    /// The frame that stands where the stack was cut; nil for a whole one.
    var frameName: String? {
      switch self {
      case .whole: nil
      case .tooDeep: "[truncated: too deep]"
      case .unreadable: "[truncated: unreadable stack]"
      case .implausible: "[truncated: implausible frame]"
      case .noRule: "[truncated: no unwind rule]"
      case .unknownRegister, .unresponsive:
        "[truncated: the thread did not stop, as it waits in the kernel]"
      case .transfer: "[truncated: a stop could cut its call short; --force stops it]"
      case .refused: "[truncated: the thread may not be traced]"
      case .ended: "[truncated: the thread has ended]"
      }
    }
  }

  /// Leaf first.
  var steps: [Step] = []
  var end: End
  /// Memory that was needed and not copied; then the rest is missing.
  var missingAddress: UInt64?
}
