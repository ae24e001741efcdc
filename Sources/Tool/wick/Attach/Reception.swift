import Glibc
import WickTarget

/// The recordings of one or more processes while they come.
final class Reception {
  /// Why no more came.
  enum Ending: Equatable {
    /// The user or the time limit ended it.
    case asked
    /// The agents ended it: their processes did, or somebody else stopped them.
    case byAgent
    /// The user asked twice.
    case abandoned
    /// A file cannot be written, for this `errno`.
    case unwritable(Int32)
  }

  private(set) var feeds: [Feed] = []

  /// How long one wait for bytes lasts, after which signals and the time are looked at.
  static let waitMilliseconds: Int32 = 50
  /// How long agents may take to send the rest.
  private static let restLimit = Duration.seconds(6)

  /// Adds a recording.
  func add(_ feed: Feed) { feeds.append(feed) }

  /// The files that something came for, in the order in which they were added.
  var recordings: [String] { feeds.filter { $0.byteCount > 0 }.map(\.path) }

  /// Takes what has come.
  ///
  /// - Parameter milliseconds: How long to wait if nothing has.
  func receive(waiting milliseconds: Int32 = waitMilliseconds) {
    let open = feeds.filter { !$0.isOver }
    var entries = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return }
    for (entry, feed) in zip(entries, open) where entry.revents != 0 { feed.receive() }
  }

  /// Asks all for the end.
  func finish() {
    for feed in feeds where !feed.isOver { feed.finish() }
  }

  /// Asks all for the end and takes what is left.
  func end() {
    let clock = ContinuousClock()
    let begin = clock.now
    finish()
    while !isOver, begin.duration(to: clock.now) < Self.restLimit { receive() }
  }

  /// Whether nothing more will come.
  var isOver: Bool { feeds.allSatisfy(\.isOver) }

  /// Why a file could not be written.
  var writeError: Int32? { feeds.lazy.compactMap(\.writeError).first }

  /// Receives until the recording of the first process ends.
  ///
  /// - Parameters:
  ///   - limit: After so long its end is asked for; nil: only when the user wants it.
  ///   - signals: What ends it, blocked by now.
  ///   - turn: Called again and again.
  /// - Returns: Why it ended.
  func run(limit: Duration?, signals: sigset_t, turn: () -> Void) -> Ending {
    let clock = ContinuousClock()
    let begin = clock.now
    var askedAt: ContinuousClock.Instant?
    while true {
      receive()
      if let code = writeError {
        finish()
        return .unwritable(code)
      }
      let now = clock.now
      if let askedAt {
        if isOver || askedAt.duration(to: now) > Self.restLimit { return .asked }
      } else if feeds[0].isOver {
        end()
        return .byAgent
      }
      let isInterrupted = Interruption.take(signals)
      if isInterrupted, askedAt != nil { return .abandoned }
      let isTimeOver = limit.map { begin.duration(to: now) >= $0 } ?? false
      if isInterrupted || isTimeOver, askedAt == nil {
        finish()
        askedAt = now
      }
      if askedAt == nil { turn() }
    }
  }
}
