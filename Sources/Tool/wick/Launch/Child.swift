import Glibc

/// A launched command and the signals that concern it.
struct Child {
  /// How a command ended.
  enum Ending: Equatable {
    case exited(Int32)
    case signaled(Int32)
    /// The user asked twice: it is left to itself.
    case abandoned

    /// What a shell would report.
    var exitCode: Int32 {
      switch self {
      case .exited(let code): code
      case .signaled(let number): 128 + number
      case .abandoned: 128 + SIGINT
      }
    }
  }

  let pid: pid_t
  private var concerned: sigset_t

  /// Launches a command with this program's descriptors and signal actions, and a changed
  /// environment.
  init(_ path: String, _ arguments: [String], environment: [String]) throws {
    // Whoever started us may ignore SIGCHLD: then the end of a child would pass unseen.
    signal(SIGCHLD, SIG_DFL)
    // Ours from here on: received by `wait` alone, never by a handler.
    var concerned = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&concerned)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGCHLD] { unsafe sigaddset(&concerned, number) }
    unsafe sigprocmask(SIG_BLOCK, &concerned, &before)
    self.concerned = concerned

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    unsafe sigemptyset(&defaults)
    unsafe sigaddset(&defaults, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    unsafe posix_spawnattr_setsigmask(&attributes, &before)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var argumentPointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var environmentPointers = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      unsafe argumentPointers.forEach { unsafe free($0) }
      unsafe environmentPointers.forEach { unsafe free($0) }
    }
    var pid: pid_t = 0
    let code = unsafe posix_spawn(
      &pid, path, nil, &attributes, &argumentPointers, &environmentPointers)
    guard code == 0 else {
      throw Failure.noTarget("cannot run \(path): \(Failure.reason(code))")
    }
    self.pid = pid
  }

  /// Waits for the end.
  ///
  /// Signals to this program are passed on; after `limit` the command is asked
  /// to end.
  mutating func wait(limit: Duration?) -> Ending {
    let clock = ContinuousClock()
    var deadline = limit.map { clock.now.advanced(by: $0) }
    var interrupted = false
    while true {
      var status: Int32 = 0
      let ended = unsafe waitpid(pid, &status, WNOHANG)
      if ended == pid { return Self.ending(status) }
      if ended < 0, errno != EINTR { return .exited(0) }
      var info = unsafe siginfo_t()
      var timeout = timespec(tv_sec: 3600, tv_nsec: 0)
      if let deadline {
        let left = max(.zero, clock.now.duration(to: deadline)).components
        timeout.tv_sec = Int(left.seconds)
        timeout.tv_nsec = Int(left.attoseconds / 1_000_000_000)
      }
      let number = unsafe sigtimedwait(&concerned, &info, &timeout)
      if number < 0 {
        if errno == EAGAIN, deadline != nil {
          deadline = nil
          kill(pid, SIGTERM)
        }
      } else if number == SIGINT, interrupted {
        return .abandoned
      } else if number != SIGCHLD {
        interrupted = interrupted || number == SIGINT
        // The terminal sends Ctrl-C to the command as well (SI_KERNEL); `kill` does not.
        if unsafe info.si_code != 0x80 { kill(pid, number) }
      }
    }
  }

  /// Takes a wait status apart, as WIFEXITED and its like of <sys/wait.h> do.
  private static func ending(_ status: Int32) -> Ending {
    let number = status & 0x7f
    return number == 0 ? .exited(status >> 8 & 0xff) : .signaled(number)
  }
}
