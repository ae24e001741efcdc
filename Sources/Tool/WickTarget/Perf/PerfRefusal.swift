internal import Glibc

/// Why the threads of a process cannot have perf events.
struct PerfRefusal {
  var target: TargetProcess
  /// Threads of the process.
  var threadCount: Int

  private var what: String { "process \(target.pid) (\(target.name))" }

  /// One sentence: what is wrong and what to do.
  func error(_ failure: PerfRing.Failure) -> TargetError {
    switch failure {
    case .open(let code): TargetError(reason(opening: code))
    case .map(let code): TargetError(reason(mapping: code))
    }
  }

  private func reason(opening code: Int32) -> String {
    let own = geteuid()
    switch code {
    case EACCES, EPERM:
      if own != 0, target.userID != own {
        return "\(what) belongs to user \(target.userID), and you are \(own); use sudo"
      }
      let level = setting("perf_event_paranoid") ?? 0
      if own != 0, level > 2 {
        return "perf events are denied to you: kernel.perf_event_paranoid is \(level); use sudo, "
          + "or 'sysctl kernel.perf_event_paranoid=2'"
      }
      return own == 0
        ? "perf events are denied even to root: this container lacks CAP_PERFMON "
          + "('docker run --cap-add PERFMON'), or a seccomp filter forbids them"
        : "perf events of \(what) are denied to you: it has more rights than you, or a seccomp "
          + "filter or security module forbids them; use sudo"
    case ESRCH:
      return target.reasonForRefusal(code)
    case EMFILE, ENFILE:
      return "\(what) has \(threadCount) threads, each of which takes two of the files that "
        + "this program may have open; raise the limit ('ulimit -n', or fs.file-max)"
    case ENOSYS:
      return "this kernel has no perf events, or a seccomp filter hides them; in a container allow "
        + "perf_event_open and add CAP_PERFMON ('docker run --cap-add PERFMON')"
    default:
      return "\(what) cannot be sampled by perf events: \(unsafe String(cString: strerror(code)))"
    }
  }

  private func reason(mapping code: Int32) -> String {
    guard code == EPERM || code == ENOMEM else {
      return "the ring of a perf event cannot be mapped: \(unsafe String(cString: strerror(code)))"
    }
    let page = Int(getpagesize()) / 1024
    return "\(what) has \(threadCount) threads, whose rings need \(2 * page * threadCount) KiB of "
      + "locked memory, more than you may have; use sudo, or raise it by "
      + "'sysctl kernel.perf_event_mlock_kb=\(2 * page * threadCount)'"
  }

  /// A number of `/proc/sys/kernel`.
  private func setting(_ name: String) -> Int? {
    ProcFile.text("/proc/sys/kernel/\(name)").flatMap { Int($0.prefix { $0 != "\n" }) }
  }
}
