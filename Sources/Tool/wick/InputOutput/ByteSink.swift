import Glibc

/// A buffered writer to a descriptor that remembers the first error.
struct ByteSink: TextOutputStream {
  private let descriptor: Int32
  private let name: String
  private var buffer: [UInt8] = []
  private var failure: Int32 = 0

  /// Writes to a descriptor that stays the caller's; `name` is for messages.
  init(descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
    buffer.reserveCapacity(1 << 16)
  }

  mutating func write(_ string: String) {
    guard string.utf8.count < 1 << 15 else {
      unsafe write(string.utf8Span.span.bytes)
      return
    }
    buffer.append(contentsOf: string.utf8)
    if buffer.count >= 1 << 16 { flush() }
  }

  mutating func write(_ bytes: RawSpan) {
    flush()
    unsafe bytes.withUnsafeBytes { unsafe put($0) }
  }

  private mutating func flush() {
    var bytes: [UInt8] = []
    swap(&bytes, &buffer)
    unsafe bytes.withUnsafeBytes { unsafe put($0) }
    bytes.removeAll(keepingCapacity: true)
    swap(&bytes, &buffer)
  }

  private mutating func put(_ bytes: UnsafeRawBufferPointer) {
    var start = 0
    while start < bytes.count, failure == 0 {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
      let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count > 0 { start += count }
      guard count < 0, errno != EINTR else { continue }
      if errno == EAGAIN {
        waitUntilWritable()
      } else {
        failure = errno
      }
    }
  }

  /// Whoever shares our standard output may have made it non-blocking.
  private func waitUntilWritable() {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    unsafe poll(&entry, 1, -1)
  }

  /// Writes what is left; throws the first error of all.
  mutating func finish() throws {
    flush()
    if failure == EPIPE { throw Failure(line: nil, exitCode: Failure.Code.closedPipe) }
    if failure != 0 {
      throw Failure.failed(
        "cannot write \(name): \(Failure.reason(failure))"
          + (descriptor == STDOUT_FILENO ? "" : "; nothing was kept of it"))
    }
  }
}
