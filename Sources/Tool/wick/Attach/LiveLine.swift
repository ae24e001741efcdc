import Glibc
import WickProfile
import WickRecording
import WickSymbols

/// The line that a terminal shows while a process is recorded: how much there is, and what is busy.
struct LiveLine {
  private var symbolicator: Symbolicator
  private let start = ContinuousClock.now
  private var isShown = false

  /// A longer recording is not read again and again.
  private static let byteLimit = 64 << 20

  init() {
    symbolicator = Naming(isWanted: true).symbolicator
  }

  /// Whether anybody would see it.
  static var isWanted: Bool { Terminal.isShown(STDERR_FILENO) }

  /// Shows what there is by now.
  ///
  /// - Parameter path: The recording so far, which need not be whole.
  mutating func show(_ path: String) {
    let seconds = start.duration(to: .now).components.seconds
    var text = "\(seconds) s"
    if let file = try? MappedFile(path: path), file.bytes.byteCount < Self.byteLimit,
      let profile = try? Recording.profile(of: file.bytes)
    {
      let accounting = SampleAccounting(profile)
      text += ", \(Summary.grouped(profile.total(of: 0))) samples"
      text += ", \(profile.threads.count) threads"
      text += ", \(accounting.lostWeight) lost"
      let named = symbolicator.symbolicate(profile)
      if let busiest = FunctionTable(CallTree(named, column: 0)).rows.first, busiest.selfValue > 0 {
        text += ", busiest: \(busiest.function.name)"
      }
    }
    put("\r\(Console.harmless(String(text.prefix(Terminal.width(STDERR_FILENO) - 1))))\u{1b}[K")
    isShown = true
  }

  /// Removes the line.
  mutating func clear() {
    if isShown { put("\r\u{1b}[K") }
    isShown = false
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
