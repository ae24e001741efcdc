internal import CWickKernel
internal import Glibc

/// An open perf event and its ring.
@safe
struct PerfRing: ~Copyable {
  /// What could not be done.
  enum Failure: Error {
    /// perf_event_open, as `errno`.
    case open(Int32)
    /// Mapping the ring, as `errno`.
    case map(Int32)
  }

  /// The event's descriptor.
  let descriptor: Int32
  private let start: UnsafeMutableRawPointer
  private let byteCount: Int

  /// Opens the event that samples a thread, which does not count yet.
  init(sampling tid: Int32, _ settings: wick_perf_settings, byteCount: Int) throws(Failure) {
    var (settings, descriptor) = (settings, Int32(-1))
    let code = unsafe wick_perf_open(&settings, tid, &descriptor)
    guard code == 0 else { throw .open(code) }
    try self.init(descriptor, byteCount: byteCount)
  }

  /// Opens an event that reports what a thread makes, whose descriptor can be read then.
  init(watching tid: Int32) throws(Failure) {
    var descriptor: Int32 = -1
    let code = unsafe wick_perf_open_watch(tid, &descriptor)
    guard code == 0 else { throw .open(code) }
    try self.init(descriptor, byteCount: Int(getpagesize()))
  }

  private init(_ descriptor: Int32, byteCount: Int) throws(Failure) {
    var mapped: UnsafeMutableRawPointer?
    let code = unsafe wick_perf_map(descriptor, byteCount, &mapped)
    guard code == 0, let mapped = unsafe mapped else {
      close(descriptor)
      throw .map(code)
    }
    self.descriptor = descriptor
    self.byteCount = byteCount
    unsafe start = mapped
  }

  deinit {
    unsafe wick_perf_unmap(start, byteCount)
    close(descriptor)
  }

  /// Moves the records that wait to the end of a buffer.
  func take(_ buffer: inout [UInt8]) {
    let count = unsafe min(wick_perf_waiting(start), byteCount)
    guard count > 0 else { return }
    let end = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: count))
    unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe wick_perf_take(start, byteCount, count, bytes.baseAddress.map { unsafe $0 + end })
    }
  }
}
