import Glibc

/// What the terminal behind a stream can do.
enum Terminal {
  /// Whether a stream is a terminal that lines can be renewed on.
  static func isShown(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && variable("TERM") != "dumb"
  }

  /// Whether standard output takes colors, and the user wants them (no-color.org).
  static var isColored: Bool {
    isShown(STDOUT_FILENO) && (variable("NO_COLOR") ?? "").isEmpty
  }

  /// Columns of a stream; 80 where that is not known.
  static func width(_ descriptor: Int32) -> Int {
    var size = winsize()
    let isKnown = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) : 80
  }

  private static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
