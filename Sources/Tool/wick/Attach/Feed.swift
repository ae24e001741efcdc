import Glibc
import WickTarget

/// A recording of one process that comes from its agent, into a file that this program owns.
final class Feed {
  let process: TargetProcess
  let path: String
  private(set) var byteCount = 0
  /// Whether no more will come.
  private(set) var isOver = false
  /// Why the file could not be written, as `errno`.
  private(set) var writeError: Int32?
  private let connection: ControlConnection
  private let file: Int32

  private static let bufferByteCount = 1 << 18

  /// Asks for a recording and creates its file.
  ///
  /// - Parameters:
  ///   - connection: To the agent of `process`.
  ///   - process: Who is recorded.
  ///   - request: What is asked for.
  ///   - folder: Where the file is made.
  /// - Throws: `ControlConnection.Refusal`, or `Failure` if there can be no file.
  init(
    _ connection: consuming ControlConnection, to process: TargetProcess, request: String,
    folder: String
  ) throws {
    path = "\(folder)/\(process.pid).wick"
    self.process = process
    _ = try connection.ask(request)
    file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw Failure.failed("cannot write \(path): \(Failure.reason(errno))")
    }
    self.connection = connection
  }

  deinit { close(file) }

  /// What is waited on for more.
  var descriptor: Int32 { connection.descriptor }

  /// Asks for the end; what is left still comes.
  func finish() { connection.finish() }

  /// Takes what has come.
  func receive() {
    var buffer = [UInt8](repeating: 0, count: Self.bufferByteCount)
    let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { isOver = true }
    guard count > 0 else { return }
    let code = write(buffer, count)
    guard code != 0 else { return }
    writeError = code
    isOver = true
    finish()
  }

  /// Returns 0 or an `errno`.
  private func write(_ bytes: [UInt8], _ count: Int) -> Int32 {
    var done = 0
    while done < count {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(file, $0.baseAddress.map { unsafe $0 + done }, count - done)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return errno }
      done += written
      byteCount += written
    }
    return 0
  }
}
