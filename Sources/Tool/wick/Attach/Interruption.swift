import Glibc

/// The signals by which users and supervisors end this program: received, not handled.
enum Interruption {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP]

  /// From now on they wait.
  ///
  /// - Returns: Them.
  static func block() -> sigset_t {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in numbers { unsafe sigaddset(&signals, number) }
    unsafe sigprocmask(SIG_BLOCK, &signals, nil)
    return signals
  }

  /// Takes one that waits.
  ///
  /// - Returns: Whether there was one.
  static func take(_ signals: sigset_t) -> Bool {
    var signals = signals
    var none = timespec()
    return unsafe sigtimedwait(&signals, nil, &none) > 0
  }
}
