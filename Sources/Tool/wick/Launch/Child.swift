import CWickKernel
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

  /// Signals that people and supervisors send to this program and mean for the command.
  private static let passedOn = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]

  private static let turnNanoseconds = 100_000_000

  let pid: pid_t
  private var concerned: sigset_t
  private var before: sigset_t

  /// Launches a command with this program's descriptors and signal actions.
  ///
  /// - Parameters:
  ///   - path: The program.
  ///   - wordCount: How many of the last words of this program's command line are the command's
  ///     name and arguments, which it gets byte by byte.
  ///   - variables: What its environment has besides this program's, or instead.
  /// - Throws: `Failure` if the kernel refuses.
  init(_ path: String, wordCount: Int, variables: [String: String]) throws {
    // Whoever started us may ignore SIGCHLD: then the end of a child would pass unseen.
    signal(SIGCHLD, SIG_DFL)
    // Ours from here on: received by `wait` alone, never by a handler.
    var concerned = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&concerned)
    for number in Self.passedOn + [SIGCHLD] { unsafe sigaddset(&concerned, number) }
    unsafe sigprocmask(SIG_BLOCK, &concerned, &before)
    self.concerned = concerned
    self.before = before

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

    let words = unsafe UnsafeBufferPointer(
      start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    var arguments = unsafe Array(words.suffix(wordCount)) + [nil]
    let own = unsafe variables.sorted { $0.key < $1.key }.map { unsafe strdup("\($0)=\($1)") }
    defer { unsafe own.forEach { unsafe free($0) } }
    var environment = unsafe Self.environment(without: variables.keys.sorted()) + own + [nil]
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, path, nil, &attributes, &arguments, &environment)
    guard code == 0 else {
      throw Failure.noTarget("cannot run \(path): \(Failure.reason(code))")
    }
    self.pid = pid
  }

  /// This program's variables but some, byte by byte.
  private static func environment(without names: [String]) -> [UnsafeMutablePointer<CChar>?] {
    var kept = unsafe [UnsafeMutablePointer<CChar>?]()
    var next = unsafe environ
    while let variable = unsafe next.pointee {
      let isOther = names.allSatisfy { unsafe strncmp("\($0)=", variable, $0.count + 1) != 0 }
      if isOther { unsafe kept.append(variable) }
      unsafe next += 1
    }
    return unsafe kept
  }

  /// Waits for the end.
  ///
  /// Signals to this program are passed on.
  ///
  /// - Parameters:
  ///   - limit: After so long the command is asked to end.
  ///   - turn: Called ten times a second; nil: nobody needs to be called.
  /// - Returns: How the command ended.
  mutating func wait(limit: Duration?, turn: (() -> Void)? = nil) -> Ending {
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
      if let turn {
        turn()
        if timeout.tv_sec > 0 || timeout.tv_nsec > Self.turnNanoseconds {
          timeout = timespec(tv_sec: 0, tv_nsec: Self.turnNanoseconds)
        }
      }
      let number = unsafe sigtimedwait(&concerned, &info, &timeout)
      if number < 0 {
        if errno == EAGAIN, let end = deadline, clock.now >= end {
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

  /// After the end: signals end this program again, and `farewell` is what it says then.
  ///
  /// Those that came before are forgotten: they were meant for the command.
  mutating func release(farewell: String) {
    var none = timespec()
    while unsafe sigtimedwait(&concerned, nil, &none) > 0 {}
    unsafe wick_kernel_leave_on_signals("wick: \(farewell)\n")
    unsafe sigprocmask(SIG_SETMASK, &before, nil)
  }

  /// Takes a wait status apart, as WIFEXITED and its like of <sys/wait.h> do.
  private static func ending(_ status: Int32) -> Ending {
    let number = status & 0x7f
    return number == 0 ? .exited(status >> 8 & 0xff) : .signaled(number)
  }
}
