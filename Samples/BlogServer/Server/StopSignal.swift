import Glibc

/// A pipe whose end of file tells every event loop to finish.
final class StopSignal: Sendable {
  /// Becomes readable, for ever, when the signal is sent.
  let descriptor: Int32
  private let writeEnd: Int32

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw WorkerError.pipe(errno) }
    (descriptor, writeEnd) = (ends[0], ends[1])
  }

  /// Tells all; to be called once.
  func send() {
    close(writeEnd)
  }

  deinit {
    close(descriptor)
  }
}
