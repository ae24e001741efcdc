import Glibc
import Testing

@testable import WickTarget

@Suite struct TargetProcessTests {
  @Test func ownProcessIsSeenAsItIs() throws {
    let process = try TargetProcess(pid: getpid())
    #expect(process.ownPID == getpid())
    #expect(process.userID == geteuid())
    #expect(process.isAlive)
    #expect(!process.isStopped)
    #expect(process.threads.contains(getpid()))
  }

  @Test func threadIsRefusedWithTheProcessToName() throws {
    let thread = try #require(
      ProcFile.names(in: "/proc/self/task").compactMap { Int32($0) }
        .first { $0 != getpid() })
    #expect(throws: TargetError("\(thread) is a thread of process \(getpid()); name that one")) {
      try TargetProcess(pid: thread)
    }
  }

  @Test func missingProcessIsRefused() {
    #expect(throws: TargetError("there is no process 4194303; 'ps ax' lists those that run")) {
      try TargetProcess(pid: 4_194_303)
    }
  }

  @Test func kernelThreadIsRefused() throws {
    // kthreadd is process 2 wherever the kernel's threads are seen.
    let name = ProcFile.text("/proc/2/comm")
    guard name == "kthreadd\n" else { return }
    let error = #expect(throws: TargetError.self) { try TargetProcess(pid: 2) }
    #expect(error?.reason == "2 (kthreadd) is a thread of the kernel, which has no user code")
  }
}
