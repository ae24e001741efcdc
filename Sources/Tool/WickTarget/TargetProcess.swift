internal import Glibc

/// A live process as `/proc` shows it, looked at before anything is done to it.
public struct TargetProcess: Hashable, Sendable {
  /// Process id, as this program sees it.
  public let pid: Int32
  /// Process id in the process's own namespace.
  public let ownPID: Int32
  /// Field 22 of `/proc/PID/stat`: with the pid, the identity of the process.
  public let startTicks: UInt64
  /// Effective user id.
  public let userID: UInt32
  /// The name that the kernel has for it, at most 15 bytes.
  public let name: String

  /// PF_KTHREAD of the kernel's `sched.h`.
  private static let kernelThreadFlag: UInt64 = 0x0020_0000

  /// Looks at a process.
  ///
  /// - Throws: `TargetError` if there is none, or nothing that has user code.
  public init(pid: Int32) throws(TargetError) {
    let folder = "/proc/\(pid)"
    guard let stat = ProcFile.text("\(folder)/stat"), let facts = Stat(stat) else {
      throw TargetError("there is no process \(pid); 'ps ax' lists those that run")
    }
    let status = ProcFile.fields("\(folder)/status")
    let name = facts.name
    if let group = status["Tgid"].flatMap({ Int32($0) }), group != pid {
      throw TargetError("\(pid) is a thread of process \(group); name that one")
    }
    guard facts.state != "Z", facts.state != "X" else {
      throw TargetError(
        "process \(pid) (\(name)) has ended: it is a zombie, which its parent has not waited for")
    }
    guard facts.flags & Self.kernelThreadFlag == 0 else {
      throw TargetError("\(pid) (\(name)) is a thread of the kernel, which has no user code")
    }
    self.pid = pid
    self.name = name
    startTicks = facts.startTicks
    ownPID =
      status["NSpid"].flatMap { $0.split(whereSeparator: \.isWhitespace).last }
      .flatMap { Int32($0) } ?? pid
    let users = (status["Uid"] ?? "").split(whereSeparator: \.isWhitespace)
    userID = users.count > 1 ? UInt32(users[1]) ?? 0 : 0
  }

  /// All processes that can be seen, but for the kernel's threads.
  ///
  /// - Returns: Ascending by process id.
  public static func all() -> [TargetProcess] {
    ProcFile.names(in: "/proc").compactMap { Int32($0) }.sorted().compactMap {
      try? TargetProcess(pid: $0)
    }
  }

  /// The children of a process, their children, and so on.
  ///
  /// - Parameter root: Not counted itself.
  /// - Returns: Ascending by process id.
  public static func descendants(of root: Int32) -> [TargetProcess] {
    var parents: [Int32: Int32] = [:]
    for pid in ProcFile.names(in: "/proc").compactMap({ Int32($0) }) {
      let text = ProcFile.text("/proc/\(pid)/stat", limit: 4096) ?? ""
      // Behind the name: the state, and then the parent.
      let rest = text.lastIndex(of: ")").map { text[$0...].split(separator: " ") } ?? []
      if rest.count > 2, let parent = Int32(rest[2]) { parents[pid] = parent }
    }
    return parents.keys.sorted().filter { pid in
      var (ancestor, steps) = (parents[pid], 0)
      while let found = ancestor, found != root, steps < 1000 {
        ancestor = parents[found]
        steps += 1
      }
      return ancestor == root
    }.compactMap { try? TargetProcess(pid: $0) }
  }

  /// Thread ids, in order.
  public var threads: [Int32] {
    ProcFile.names(in: "/proc/\(pid)/task").compactMap { Int32($0) }.sorted()
  }

  /// Whether the process is still there and still the same.
  public var isAlive: Bool {
    guard let text = ProcFile.text("/proc/\(pid)/stat"), let facts = Stat(text) else {
      return false
    }
    return facts.startTicks == startTicks && facts.state != "Z" && facts.state != "X"
  }

  /// Whether a path leads the process to the same file as this program.
  public var filesAreShared: Bool {
    let names = ["root", "ns/mnt"]
    return names.allSatisfy {
      ProcFile.link("/proc/\(pid)/\($0)") == ProcFile.link("/proc/self/\($0)")
    }
  }

  /// The process that traces this one, if any.
  public var tracer: Int32? {
    let text = ProcFile.fields("/proc/\(pid)/status")["TracerPid"]
    return text.flatMap { Int32($0) }.flatMap { $0 == 0 ? nil : $0 }
  }

  /// Whether a signal has stopped it (SIGSTOP, Ctrl-Z).
  public var isStopped: Bool {
    ProcFile.text("/proc/\(pid)/stat").flatMap { Stat($0) }?.state == "T"
  }

  /// Why this program may not trace the process or read its memory, as far as it can be told.
  ///
  /// - Parameter code: The `errno` of the call that was refused.
  /// - Returns: One sentence: what is wrong and what to do.
  public func reasonForRefusal(_ code: Int32) -> String {
    reasonForRefusal(
      code, to: geteuid(), scope: ProcFile.text("/proc/sys/kernel/yama/ptrace_scope"))
  }

  /// The same for a user, with what `kernel.yama.ptrace_scope` says; nil: there is no Yama.
  func reasonForRefusal(_ code: Int32, to own: UInt32, scope: String?) -> String {
    let what = "process \(pid) (\(name))"
    if let tracer, code == EPERM {
      let other = ProcFile.text("/proc/\(tracer)/comm").map { $0.dropLast() } ?? "?"
      return "\(what) is already traced by process \(tracer) (\(other)); end that one first"
    }
    switch code {
    case ESRCH, ENOENT:
      return "\(what) has ended"
    case EPERM, EACCES:
      if own != 0, userID != own {
        return "\(what) belongs to user \(userID), and you are \(own); use sudo"
      }
      switch scope?.first {
      case "3":
        return "\(what) may not be traced: kernel.yama.ptrace_scope is 3, which only a reboot "
          + "takes back"
      case "2" where own != 0, "1" where own != 0:
        return "\(what) may not be traced by you: kernel.yama.ptrace_scope forbids it; use sudo, "
          + "or 'sysctl kernel.yama.ptrace_scope=0'"
      default:
        return own == 0
          ? "\(what) may not be traced even by root: this container lacks CAP_SYS_PTRACE "
            + "('docker run --cap-add SYS_PTRACE'), or a security module forbids it"
          : "\(what) may not be traced by you: it has more rights than you, or a seccomp filter or "
            + "security module forbids it; use sudo"
      }
    default:
      return "\(what) cannot be traced: \(unsafe String(cString: strerror(code)))"
    }
  }

  /// Fields of `/proc/PID/stat`, see proc(5).
  private struct Stat {
    var name: String
    var state: Substring
    var flags: UInt64
    var startTicks: UInt64
    /// As of wait(2); 0 for those who may not know.
    var exitStatus: Int32

    init?(_ text: String) {
      // The name may hold spaces and parentheses.
      guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close
      else { return nil }
      name = String(text[text.index(after: open)..<close])
      let rest = text[text.index(after: close)...].split(whereSeparator: \.isWhitespace)
      guard rest.count > 19, let flags = UInt64(rest[6]), let start = UInt64(rest[19]) else {
        return nil
      }
      state = rest[0]
      self.flags = flags
      startTicks = start
      exitStatus = rest.count > 49 ? Int32(rest[49]) ?? 0 : 0
    }
  }
}

extension TargetProcess {
  /// Field 22 of `/proc/PID/stat`; nil if there is no such process.
  static func startTicks(of pid: Int32) -> UInt64? {
    ProcFile.text("/proc/\(pid)/stat").flatMap { Stat($0) }?.startTicks
  }

  /// The wait status of a process that has ended and was not waited for; nil if there is none.
  static func exitStatus(of pid: Int32) -> Int32? {
    guard let stat = ProcFile.text("/proc/\(pid)/stat").flatMap({ Stat($0) }), stat.state == "Z"
    else { return nil }
    return stat.exitStatus
  }

  /// The processes that a process has made and that still run.
  static func children(of pid: Int32) -> [Int32] {
    ProcFile.names(in: "/proc/\(pid)/task").flatMap { tid in
      (ProcFile.text("/proc/\(pid)/task/\(tid)/children") ?? "").split(separator: " ")
        .compactMap { Int32($0) }
    }
  }
}
