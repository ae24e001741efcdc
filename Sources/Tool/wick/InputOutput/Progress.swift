import Glibc
import Synchronization

/// Says on a terminal what takes longer than a second.
///
/// One line, renewed a few times a second and erased at the end. Where standard error is no
/// terminal nothing is ever written.
final class Progress: Sendable {
  private static let delayMilliseconds: Int32 = 1000
  private static let intervalMilliseconds: Int32 = 250

  private let text: Mutex<String>
  /// Closed by the other end when all is done.
  private let endDescriptor: Int32

  /// Does something and meanwhile says what.
  ///
  /// - Parameters:
  ///   - text: What is done, such as "reading server.wick".
  ///   - body: Does it; may change the text by the function that it gets.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  static func during<Result>(
    _ text: String, _ body: (_ say: @escaping @Sendable (String) -> Void) throws -> Result
  ) rethrows -> Result {
    guard Terminal.isShown(STDERR_FILENO), let pipe = makePipe() else { return try body { _ in } }
    let progress = Progress(text, endDescriptor: pipe.reading)
    defer { close(pipe.reading) }
    let thread = progress.start()
    defer {
      close(pipe.writing)
      if let thread { pthread_join(thread, nil) }
    }
    return try body { text in progress.text.withLock { $0 = text } }
  }

  private init(_ text: String, endDescriptor: Int32) {
    self.text = Mutex(text)
    self.endDescriptor = endDescriptor
  }

  private static func makePipe() -> (reading: Int32, writing: Int32)? {
    let descriptors = unsafe [Int32](unsafeUninitializedCapacity: 2) { buffer, count in
      count = unsafe pipe(buffer.baseAddress) == 0 ? 2 : 0
    }
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return descriptors.count == 2 ? (descriptors[0], descriptors[1]) : nil
  }

  /// Starts the thread that writes; nil if there can be none.
  private func start() -> pthread_t? {
    var thread = pthread_t()
    let object = unsafe Unmanaged.passRetained(self)
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<Progress>.fromOpaque(argument).takeRetainedValue().run()
        }
        return nil
      }, object.toOpaque())
    if code == 0 { return thread }
    unsafe object.release()
    return nil
  }

  private func run() {
    let start = ContinuousClock.now
    var wait = Self.delayMilliseconds
    var isVisible = false
    while !hasEnded(within: wait) {
      let seconds = start.duration(to: .now).components.seconds
      show("\(text.withLock { $0 }) … \(seconds) s")
      isVisible = true
      wait = Self.intervalMilliseconds
    }
    if isVisible { put("\r\u{1b}[K") }
  }

  /// Whether the other end of the pipe is closed by now.
  private func hasEnded(within milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: endDescriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, milliseconds) > 0
  }

  /// Shows a line that cannot wrap, as only one line can be erased.
  private func show(_ line: String) {
    let width = Terminal.width(STDERR_FILENO) - 1
    let shown = line.count > width ? "…" + line.suffix(max(0, width - 1)) : line
    put("\r\(Console.harmless(shown.split(separator: "\n").joined(separator: " ")))\u{1b}[K")
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
