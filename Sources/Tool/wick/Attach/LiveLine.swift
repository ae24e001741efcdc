import Glibc
import WickProfile
import WickRecording
import WickSymbols

/// The line that a terminal shows while a process is recorded: how much there is, and what is busy.
struct LiveLine {
  private var symbolicator: Symbolicator
  private let start = ContinuousClock.now
  private var next = ContinuousClock.now.advanced(by: .seconds(1))
  private var isShown = false

  /// A longer recording is not read again and again.
  private static let byteLimit = 64 << 20

  init() {
    symbolicator = Naming(isWanted: true).symbolicator
  }

  /// Shows what there is by now, if a second has passed and anybody would see it.
  ///
  /// - Parameter recordings: They need not be whole.
  mutating func show(_ recordings: [String]) {
    let clock = ContinuousClock()
    let begin = clock.now
    guard begin >= next else { return }
    next = begin.advanced(by: .seconds(1))
    guard Terminal.isShown(STDERR_FILENO) else { return }
    let seconds = start.duration(to: begin).components.seconds
    let text = "\(seconds) s\(content(of: recordings))"
    put("\r\(Console.harmless(String(text.prefix(Terminal.width(STDERR_FILENO) - 1))))\u{1b}[K")
    isShown = true
    // Reading on and on must not keep from receiving.
    next = max(next, clock.now.advanced(by: begin.duration(to: clock.now) * 10))
  }

  private mutating func content(of recordings: [String]) -> String {
    var (samples, threads, lost): (Int64, Int, UInt64) = (0, 0, 0)
    var busiest: FunctionTable.Row?
    for path in recordings {
      guard let file = try? MappedFile(path: path), file.bytes.byteCount < Self.byteLimit,
        let profile = try? Recording.profile(of: file.bytes)
      else { continue }
      samples += profile.total(of: 0)
      threads += profile.threads.count
      lost += SampleAccounting(profile).lostWeight
      let named = symbolicator.symbolicate(profile)
      let first = FunctionTable(CallTree(named, column: 0)).rows.first
      if let first, first.selfValue > busiest?.selfValue ?? 0 { busiest = first }
    }
    let count = recordings.count > 1 ? ", \(recordings.count) processes" : ""
    let function = busiest.map { ", busiest: \($0.function.name)" } ?? ""
    return
      ", \(Summary.grouped(samples)) samples\(count), \(threads) threads, \(lost) lost\(function)"
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
