import Glibc
import WickRecording
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
  private let file: RecordingFile

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
    do throws(RecordingWriteError) {
      file = try RecordingFile(path: path)
    } catch {
      throw Failure.failed("cannot write \(path): \(Failure.reason(error.code))")
    }
    self.connection = connection
  }

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
    do throws(RecordingWriteError) {
      try unsafe file.append(buffer.span.bytes.extracting(first: count))
      byteCount += count
    } catch {
      writeError = error.code
      isOver = true
      finish()
    }
  }
}
