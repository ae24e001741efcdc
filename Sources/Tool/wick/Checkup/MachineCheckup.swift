import CWickKernel
import Glibc

/// What of this machine decides how programs can be sampled.
enum MachineCheckup {
  /// All that there is to say.
  static func findings() -> [Finding] {
    [kernel(), agent(), allocations(), perfEngine(), timerEngine()]
  }

  /// The kernel's release, for the reader of a bug report.
  private static func kernel() -> Finding {
    let release = value(in: "/proc/sys/kernel/osrelease") ?? "unknown"
    let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    return .good("kernel", "Linux \(release), \(processors) CPUs")
  }

  /// Whether there is a library to preload.
  static func agent() -> Finding {
    do {
      return .good("agent", try AgentLibrary.find())
    } catch {
      return .bad("agent", (error as? Failure)?.line ?? "\(error)")
    }
  }

  /// Whether there is the library by which allocations are seen from the first instruction on.
  private static func allocations() -> Finding {
    do {
      return .good("allocations", try AgentLibrary.find(.interposing))
    } catch {
      return .bad("allocations", (error as? Failure)?.line ?? "\(error)")
    }
  }

  /// Whether the kernel gives out the events of the exact engine.
  static func perfEngine() -> Finding {
    let code = wick_kernel_probe_perf()
    switch code {
    case 0:
      return .good(
        "perf engine",
        "works: exact at 1 to 10,000 Hz, threads covered from their first instruction")
    case EACCES, EPERM:
      let level = value(in: "/proc/sys/kernel/perf_event_paranoid") ?? "unknown"
      let isFiltered = value(in: "/proc/self/status", after: "Seccomp:") ?? "0" != "0"
      let advice =
        isFiltered
        ? "a seccomp filter is on: allow perf_event_open in the container's profile"
        : "as root: sysctl kernel.perf_event_paranoid=1, or give CAP_PERFMON"
      return .bad("perf engine", "not permitted (perf_event_paranoid is \(level)); \(advice)")
    case EINVAL, ENOENT, ENOSYS:
      return .bad(
        "perf engine", "not in this kernel (\(Failure.reason(code))); it needs Linux 5.13")
    default:
      return .bad("perf engine", "fails: \(Failure.reason(code))")
    }
  }

  /// CPU timers need no permission; the kernel looks at them once a tick.
  private static func timerEngine() -> Finding {
    var resolution = timespec()
    unsafe clock_getres(CLOCK_MONOTONIC_COARSE, &resolution)
    let hertz = resolution.tv_nsec > 0 ? 1_000_000_000 / resolution.tv_nsec : 0
    return .good(
      "timer engine", "works: at most \(hertz) signals a second of CPU time, weighted above that")
  }

  /// The last word of a file's first line, or of the line that begins with a label.
  private static func value(in path: String, after label: String = "") -> String? {
    var bytes = [UInt8](repeating: 0, count: 8192)
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(label) }) else {
      return nil
    }
    return line.dropFirst(label.count).split { $0 == " " || $0 == "\t" }.last.map(String.init)
  }
}
