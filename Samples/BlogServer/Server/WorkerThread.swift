import Foundation
import Glibc

/// A named thread that can be joined.
struct WorkerThread {
  private let handle: pthread_t

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - name: The thread's name, at most 15 bytes.
  ///   - body: What it runs.
  /// - Throws: ``WorkerError`` if there can be no more threads.
  init(name: String, body: @escaping @Sendable () -> Void) throws(WorkerError) {
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var handle = pthread_t()
    let code = pthread_create(&handle, nil, enterThread, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw .thread(code)
    }
    self.handle = handle
  }

  func join() {
    pthread_join(handle, nil)
  }

  fileprivate static func enter(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
    Thread.current.name = start.name
    start.body()
  }
}

private func enterThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  WorkerThread.enter(context)
  return nil
}
