import Glibc
import WickTarget

/// A recording that comes from an agent over its connection, into a file that this program owns.
struct ReceivedRecording {
  /// Why no more came.
  enum Ending: Equatable {
    /// The user or the time limit ended it.
    case asked
    /// The agent ended it: the process did, or somebody else stopped it.
    case byAgent
    /// The user asked twice.
    case abandoned
    /// The file cannot be written, for this `errno`.
    case unwritable(Int32)
  }

  let path: String
  private let file: Int32
  private(set) var byteCount = 0

  /// How long one wait for bytes lasts, after which signals and the time are looked at.
  private static let waitMilliseconds: Int32 = 50
  /// How long the agent may take to send the rest.
  private static let restLimit = Duration.seconds(6)

  /// Creates the file.
  init(path: String) throws {
    self.path = path
    file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw Failure.failed("cannot write \(path): \(Failure.reason(errno))")
    }
  }

  /// Receives until the recording ends.
  ///
  /// - Parameters:
  ///   - connection: What was asked for a recording.
  ///   - limit: After so long its end is asked for; nil: only when the user wants it.
  ///   - signals: What ends it, blocked by now.
  ///   - watch: Called about once a second.
  mutating func receive(
    from connection: borrowing ControlConnection, limit: Duration?, signals: sigset_t,
    watch: (_ path: String) -> Void
  ) -> Ending {
    let clock = ContinuousClock()
    let begin = clock.now
    var nextWatch = begin.advanced(by: .seconds(1))
    var askedAt: ContinuousClock.Instant?
    var signals = signals
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    defer { close(file) }
    while true {
      var entry = pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)
      if unsafe poll(&entry, 1, Self.waitMilliseconds) > 0 {
        let count = unsafe recv(connection.descriptor, &buffer, buffer.count, 0)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) {
          return askedAt == nil ? .byAgent : .asked
        }
        if count > 0 {
          let code = write(buffer, count)
          guard code == 0 else {
            connection.finish()
            return .unwritable(code)
          }
        }
      }
      var none = timespec()
      let now = clock.now
      let isInterrupted = unsafe sigtimedwait(&signals, nil, &none) > 0
      if isInterrupted, askedAt != nil { return .abandoned }
      let isOver = limit.map { begin.duration(to: now) >= $0 } ?? false
      if isInterrupted || isOver, askedAt == nil {
        connection.finish()
        askedAt = now
      }
      if let askedAt, askedAt.duration(to: now) > Self.restLimit { return .asked }
      if now >= nextWatch {
        watch(path)
        // However long that took, the next time is a while later.
        let cost = now.duration(to: clock.now)
        nextWatch = clock.now.advanced(by: max(.seconds(1), cost * 10))
      }
    }
  }

  /// Returns 0 or an `errno`.
  private mutating func write(_ bytes: [UInt8], _ count: Int) -> Int32 {
    var done = 0
    while done < count {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(file, $0.baseAddress.map { unsafe $0 + done }, count - done)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        let code = errno
        // Part of a chunk is of no use to a reader, but does no harm either.
        return code
      }
      done += written
      byteCount += written
    }
    return 0
  }
}
