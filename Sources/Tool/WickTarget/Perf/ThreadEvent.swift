internal import CWickKernel

/// What samples a thread.
final class ThreadEvent {
  /// The thread, until its process becomes another program.
  var tid: Int32
  /// The thread's process.
  let pid: Int32
  /// Whether the thread is gone.
  var isEnded = false
  private let samples: PerfRing
  /// Reports at once what the thread makes; nil where there is no memory left for its ring.
  private var watch: PerfRing?
  private var settled: UInt64 = 0

  /// Opens events of a thread, of which nothing is sampled yet.
  init(
    tid: Int32, pid: Int32, _ settings: wick_perf_settings, ringByteCount: Int, isWatched: Bool
  ) throws(PerfRing.Failure) {
    self.tid = tid
    self.pid = pid
    samples = try PerfRing(sampling: tid, settings, byteCount: ringByteCount)
    watch = isWatched ? try? PerfRing(watching: tid) : nil
  }

  /// What can be read as soon as the thread has made another, or a process; nil if nothing can.
  var watchDescriptor: Int32? {
    switch watch {
    case .some(let ring): ring.descriptor
    case .none: nil
    }
  }

  /// CPU time that it has counted since it was asked last.
  func settle() -> UInt64 {
    let counted = wick_perf_count_ns(samples.descriptor)
    defer { settled = counted }
    return counted - min(settled, counted)
  }

  /// Lets it sample, or not.
  func enable(_ isEnabled: Bool) {
    wick_perf_enable(samples.descriptor, isEnabled)
  }

  /// Moves the samples that wait to the end of a buffer.
  func take(_ buffer: inout [UInt8]) {
    samples.take(&buffer)
  }

  /// Moves the reports that wait to the end of a buffer.
  func takeReports(_ buffer: inout [UInt8]) {
    switch watch {
    case .some(let ring): ring.take(&buffer)
    case .none: break
    }
  }

  /// Closes what reports.
  func closeWatch() {
    watch = nil
  }
}
