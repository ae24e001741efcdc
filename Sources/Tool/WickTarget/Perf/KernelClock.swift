internal import CWickKernel
internal import Glibc

/// Clocks that the kernel shares with perf events.
enum KernelClock {
  /// CLOCK_MONOTONIC.
  static var monotonic: UInt64 { now(CLOCK_MONOTONIC) }
  /// CLOCK_REALTIME.
  static var realtime: UInt64 { now(CLOCK_REALTIME) }

  /// CPU time that all threads of a process ever used; nil if there is no such process.
  static func processCPU(_ pid: Int32) -> UInt64? {
    var time: UInt64 = 0
    return unsafe wick_process_cpu_ns(pid, &time) ? time : nil
  }

  private static func now(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
