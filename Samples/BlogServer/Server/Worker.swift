import CWickSampleEvent
import Foundation
import Glibc

/// One thread's event loop, HTTP server and database connection.
final class Worker {
  private let base: OpaquePointer
  private let http: OpaquePointer
  private let listener: OpaquePointer
  private let stopDescriptor: Int32
  private let blog: Blog
  private var isStopping = false

  /// How long responses on their way may take after the stop.
  private static let drainTime = timeval(tv_sec: 0, tv_usec: 100_000)

  /// Above this libevent itself refuses a body; ``Request/largestBody`` is the server's own limit.
  private static let largestBody = 16 << 20

  /// Takes the socket, which is closed with the worker.
  ///
  /// - Parameters:
  ///   - socket: Where connections arrive.
  ///   - location: The database to connect to.
  ///   - stopDescriptor: Becomes readable when the worker must end.
  /// - Throws: ``DatabaseError`` or ``WorkerError``.
  init(socket: ListeningSocket, location: DatabaseLocation, stopDescriptor: Int32) throws {
    blog = Blog(database: try Database(location))
    guard let base = event_base_new(), let http = evhttp_new(base),
      let listener = evhttp_accept_socket_with_handle(http, socket.descriptor)
    else { throw WorkerError.eventLoop }
    (self.base, self.http, self.listener) = (base, http, listener)
    self.stopDescriptor = stopDescriptor
  }

  /// Serves until the stop descriptor becomes readable.
  func run() {
    let context = Unmanaged.passUnretained(self).toOpaque()
    let stopEvent = event_new(base, stopDescriptor, Int16(EV_READ), { stopWorker($2) }, context)
    defer { event_free(stopEvent) }
    event_add(stopEvent, nil)
    // Every method reaches the router, which knows what to answer to the wrong ones.
    evhttp_set_allowed_methods(http, UInt16.max)
    evhttp_set_max_body_size(http, Self.largestBody)
    evhttp_set_max_headers_size(http, 16 << 10)
    evhttp_set_gencb(http, { serveRequest($0, $1) }, context)
    event_base_dispatch(base)
  }

  deinit {
    evhttp_free(http)
    event_base_free(base)
    blog.database.close()
  }

  fileprivate func stop() {
    isStopping = true
    evhttp_del_accept_socket(http, listener)
    var drainTime = Self.drainTime
    event_base_loopexit(base, &drainTime)
  }

  fileprivate func serve(_ request: OpaquePointer) {
    let start = ContinuousClock.now
    let response = blog.answer(Request(request))
    let headers = evhttp_request_get_output_headers(request)
    for (name, value) in response.headers {
      evhttp_add_header(headers, name, value)
    }
    if isStopping {
      evhttp_add_header(headers, "Connection", "close")
    }
    evhttp_add_header(headers, ProcessTime.header, ProcessTime.text(ContinuousClock.now - start))
    response.body.withUnsafeBytes { bytes in
      _ = evbuffer_add(evhttp_request_get_output_buffer(request), bytes.baseAddress, bytes.count)
    }
    evhttp_send_reply(request, Int32(response.status.code), response.status.reason, nil)
  }
}

/// What a worker or its thread cannot start without.
enum WorkerError: Error {
  case eventLoop
  case pipe(Int32)
  case thread(Int32)
}

private func serveRequest(_ request: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
  guard let request, let context else { return }
  Unmanaged<Worker>.fromOpaque(context).takeUnretainedValue().serve(request)
}

private func stopWorker(_ context: UnsafeMutableRawPointer?) {
  guard let context else { return }
  Unmanaged<Worker>.fromOpaque(context).takeUnretainedValue().stop()
}
