internal import CWickUnwind
internal import Glibc

/// A system call in which a thread waits and is known to hold no lock of malloc or the loader, so that
/// it can call `dlopen`.
enum ParkedCall {
  /// Calls that neither malloc nor the loader make while they hold a lock.
  private static let names: Set<String> = [
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6",
    "nanosleep", "clock_nanosleep", "accept", "accept4", "recvfrom", "recvmsg", "recvmmsg",
    "wait4", "waitid", "rt_sigtimedwait", "rt_sigsuspend", "pause", "msgrcv", "semop",
    "semtimedop", "io_uring_enter", "io_getevents", "flock",
  ]

  /// FUTEX_WAIT_BITSET without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME: how condition variables,
  /// semaphores and parked threads wait; plain locks, as malloc and the loader have them, wait by
  /// FUTEX_WAIT.
  private static let waitBitset: UInt64 = 9
  private static let futexFlags: UInt64 = 0x180

  /// What the kernel leaves as the result of a call that is to be made again; see its
  /// `include/linux/errno.h`.
  private static let restartBlock = -516
  private static let restarts: Set<Int> = [-512, -513, -514, restartBlock, -Int(EINTR)]
  /// restart_syscall(2), which goes on with what is left of a timeout.
  private static let restartSystemCall: UInt64 = 219

  /// Whether a thread that waits at a place is parked there.
  ///
  /// A stop must not cut a transfer of bytes short either.
  static func isParked(_ place: ThreadLook.Place, of pid: Int32) -> Bool {
    guard let call = place.systemCall, !place.isTransfer else { return false }
    return isSafe(call, place.arguments, of: pid)
  }

  /// The registers with which a thread that stands in such a call makes it again; nil if it does not
  /// stand in one.
  static func resuming(_ registers: user_regs_struct, of pid: Int32) -> user_regs_struct? {
    let number = Int(bitPattern: UInt(registers.orig_rax))
    let result = Int(bitPattern: UInt(registers.rax))
    guard number >= 0, restarts.contains(result),
      isSafe(
        SystemCall(number: number), [registers.rdi, registers.rsi].map { UInt64($0) }, of: pid)
    else {
      return nil
    }
    // The call itself: `syscall` is two bytes.
    let code = RemoteMemory.bytes(pid, at: UInt64(registers.rip) &- 2, count: 2)
    guard code == [0x0f, 0x05] else { return nil }
    var resuming = registers
    resuming.rip -= 2
    resuming.rax =
      result == restartBlock ? numericCast(restartSystemCall) : numericCast(number)
    return resuming
  }

  private static func isSafe(
    _ call: SystemCall, _ arguments: [UInt64], of pid: Int32
  ) -> Bool {
    guard arguments.count > 1 else { return false }
    switch call.name {
    case "futex":
      return arguments[1] & 0x7f & ~futexFlags == waitBitset
    case "read":
      // The loader reads files, never what one can wait for.
      let link = ProcFile.link("/proc/\(pid)/fd/\(arguments[0])") ?? ""
      return link.hasPrefix("socket:") || link.hasPrefix("pipe:") || link.hasPrefix("anon_inode:")
        || link.hasPrefix("/dev/pts/") || link.hasPrefix("/dev/tty")
    default:
      return names.contains(call.name)
    }
  }
}
