internal import CWickKernel
internal import CWickUnwind
internal import Glibc

/// A thread of another process that stands still for as long as this value is there.
///
/// It is as if nothing had been: a signal that arrived goes on to it, a system call that was cut
/// short is made again, and what a signal has stopped stays so.
struct HeldThread: ~Copyable {
  /// Why a thread could not be held.
  enum Failure: Error, Equatable {
    case ended
    /// The kernel refused, with this `errno`.
    case refused(Int32)
    /// It did not stop in time. It may still do so; see `TracerThread`.
    case unresponsive
  }

  /// What waitpid(2) says of a stopped thread.
  private struct Stop {
    var status: Int32

    /// The signal that it stopped for.
    var signal: Int32 { status >> 8 & 0xff }
    /// PTRACE_EVENT_STOP, which is 128, if it was our request or is stopped anyway; 0 if a signal is
    /// about to be delivered.
    var event: Int32 { status >> 16 }
    /// Whether a signal had stopped the process before.
    var isOfGroup: Bool { event != 0 && [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(signal) }
  }

  /// Requests of ptrace(2): the kernel's `include/uapi/linux/ptrace.h`.
  private enum Request {
    static let getRegisters: Int32 = 12
    static let setRegisters: Int32 = 13
    static let step: Int32 = 9
    static let detach: Int32 = 17
    static let seize: Int32 = 0x4206
    static let interrupt: Int32 = 0x4207
  }

  /// What the kernel leaves as a call's result that is made again unless a handler runs; then the
  /// call gives EINTR.
  private static let restart = UInt(bitPattern: -514)
  /// Most threads stop in so long, less than it takes to be woken.
  private static let spinNanoseconds: UInt64 = 30_000

  /// When it was seen to stand still.
  let startNanoseconds: UInt64
  private let tid: Int32
  private var stop: Stop
  /// Whether it stands behind a step of ours: then SIGTRAP is ours as well.
  private var isStepped = false

  /// Stops a thread.
  ///
  /// - Parameters:
  ///   - tid: The thread.
  ///   - limit: How long to wait for it.
  /// - Throws: `Failure`; then it is not held, though `unresponsive` may become so later.
  init(tid: Int32, nanoseconds limit: UInt64) throws(Failure) {
    let refusal = wick_kernel_ptrace(Request.seize, tid, nil, nil)
    guard refusal == 0 else {
      // Of a thread that is ending the kernel says that it is not permitted.
      throw refusal == ESRCH || Self.hasEnded(tid) ? .ended : .refused(refusal)
    }
    _ = wick_kernel_ptrace(Request.interrupt, tid, nil, nil)
    stop = try Self.waitForStop(of: tid, until: Self.now() + limit)
    self.tid = tid
    startNanoseconds = Self.now()
  }

  deinit {
    restartCall()
    let signal = Int(pendingSignal)
    _ = unsafe wick_kernel_ptrace(
      Request.detach, tid, nil, UnsafeMutableRawPointer(bitPattern: signal))
  }

  /// Its registers; nil if it was killed meanwhile.
  borrowing func registers() -> user_regs_struct? {
    var registers = user_regs_struct()
    let result = unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe wick_kernel_ptrace(Request.getRegisters, tid, nil, $0)
    }
    return result == 0 ? registers : nil
  }

  /// The signal that is about to be delivered to it; 0 if there is none.
  private var pendingSignal: Int32 {
    stop.event != 0 || (isStepped && stop.signal == SIGTRAP) ? 0 : stop.signal
  }
  /// Whether a signal is about to be delivered to it.
  var hasSignal: Bool { pendingSignal != 0 }
  /// Whether a signal has stopped its process.
  var isOfStoppedProcess: Bool { stop.isOfGroup }

  /// Has it run one instruction; a signal that was about to be delivered is.
  ///
  /// - Parameter limit: How long to wait: a system call may wait itself.
  /// - Returns: Whether it stands again; else it waits in the kernel and was asked to stop there.
  /// - Throws: `Failure` if it has ended or does not stop in the kernel either.
  mutating func step(nanoseconds limit: UInt64) throws(Failure) -> Bool {
    let signal = unsafe UnsafeMutableRawPointer(bitPattern: Int(pendingSignal))
    guard unsafe wick_kernel_ptrace(Request.step, tid, nil, signal) == 0 else {
      throw .ended
    }
    isStepped = true
    do {
      stop = try Self.waitForStop(of: tid, until: Self.now() + limit)
      return true
    } catch {
      guard error == .unresponsive else { throw error }
      _ = wick_kernel_ptrace(Request.interrupt, tid, nil, nil)
      stop = try Self.waitForStop(of: tid, until: Self.now() + limit)
      isStepped = false
      return false
    }
  }

  /// Lets it go on from elsewhere; false if it was killed meanwhile.
  consuming func goOn(_ registers: user_regs_struct) -> Bool {
    var registers = registers
    return unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe wick_kernel_ptrace(Request.setRegisters, tid, nil, $0) == 0
    }
  }

  /// Has a call made again that returned EINTR only because of us.
  ///
  /// The kernel does so by itself with calls that can be told from those that a handler has to cut
  /// short. Others (epoll_wait, sigtimedwait, sockets with timeouts) have their result by now; given
  /// back what the kernel understands, it decides as it delivers signals, and none can be missed.
  private borrowing func restartCall() {
    // Of a process that was stopped by a signal, these calls return EINTR when it goes on.
    guard !stop.isOfGroup, var registers = registers() else { return }
    let call = Int(bitPattern: UInt(registers.orig_rax))
    guard call >= 0, Int(bitPattern: UInt(registers.rax)) == -Int(EINTR),
      !SystemCall(number: call).isClosing
    else { return }
    registers.rax = numericCast(Self.restart)
    _ = unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe wick_kernel_ptrace(Request.setRegisters, tid, nil, $0)
    }
  }

  /// How long an end may take that shows only in a refusal at first.
  private static let endNanoseconds: UInt64 = 50_000_000

  /// Whether a thread is gone, or is so in a moment.
  private static func hasEnded(_ tid: Int32) -> Bool {
    let deadline = now() + endNanoseconds
    while true {
      // This folder is there for threads, too, though it is not listed.
      guard let text = ProcFile.text("/proc/\(tid)/stat", limit: 4096),
        let state = text.split(separator: ")").last?.first(where: { $0 != " " })
      else { return true }
      if state == "Z" || state == "X" { return true }
      // Whoever waits, or is traced, is not about to end.
      guard state == "R", now() < deadline else { return false }
      usleep(500)
    }
  }

  private static func waitForStop(of tid: Int32, until deadline: UInt64) throws(Failure) -> Stop {
    let spinEnd = now() + spinNanoseconds
    while true {
      var status: Int32 = 0
      let result = unsafe waitpid(tid, &status, WNOHANG | Int32(bitPattern: UInt32(__WALL)))
      if result == tid {
        // The low byte is 0x7f of a thread that stopped; others have ended.
        guard status & 0xff == 0x7f else { throw .ended }
        return Stop(status: status)
      }
      if result < 0, errno != EINTR { throw .ended }
      let time = now()
      guard time < deadline else { throw .unresponsive }
      if time >= spinEnd { waitForChild(nanoseconds: deadline - time) }
    }
  }

  /// Waits for SIGCHLD, which `TracerThread` blocks and the kernel sends for each stop.
  private static func waitForChild(nanoseconds: UInt64) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGCHLD)
    // The signal may go to another thread of a program that has more.
    var limit = timespec(tv_sec: 0, tv_nsec: Int(min(nanoseconds, 5_000_000)))
    _ = unsafe sigtimedwait(&signals, nil, &limit)
  }

  /// A clock that only goes forward.
  static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
