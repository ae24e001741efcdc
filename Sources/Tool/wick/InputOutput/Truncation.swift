import Glibc

/// Files that others cut short while they are mapped: what is gone faults with SIGBUS.
enum Truncation {
  /// Ends the command with one line instead of a crash from now on.
  static func handle() {
    // SIGNAL-SAFE: calls only write and _exit.
    signal(SIGBUS) { _ in
      let line: StaticString = """
        wick: a file became shorter while it was read, or its disk failed; try again\n
        """
      _ = unsafe write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
      _exit(Failure.Code.failed)
    }
  }
}
