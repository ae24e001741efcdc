import Glibc
import Testing

@testable import WickTarget

@Suite struct PerfRefusalTests {
  private func reason(_ failure: PerfRing.Failure) throws -> String {
    let own = try TargetProcess(pid: getpid())
    return PerfRefusal(target: own, threadCount: 40).error(failure).reason
  }

  @Test func eachRefusalSaysWhatToDo() throws {
    #expect(try reason(.open(EMFILE)).contains("has 40 threads"))
    #expect(try reason(.open(EMFILE)).contains("'ulimit -n'"))
    #expect(try reason(.open(EACCES)).contains(geteuid() == 0 ? "--cap-add PERFMON" : "use sudo"))
    #expect(try reason(.open(ENOSYS)).contains("seccomp"))
    #expect(try reason(.open(ESRCH)).hasSuffix("has ended"))
    #expect(try reason(.map(EPERM)).contains("kernel.perf_event_mlock_kb=320"))
  }

  @Test func ringsFitTheRateAndTheBudget() {
    #expect(ThreadEvents.ringByteCount(rateHertz: 1, threadCount: 1) == Int(getpagesize()))
    #expect(ThreadEvents.ringByteCount(rateHertz: 999, threadCount: 4) == 256 << 10)
    #expect(ThreadEvents.ringByteCount(rateHertz: 10_000, threadCount: 1000) <= 64 << 10)
    for threads in [1, 3, 100, 5000, 1_000_000] {
      let count = ThreadEvents.ringByteCount(rateHertz: 10_000, threadCount: threads)
      #expect(count & (count - 1) == 0 && count >= Int(getpagesize()))
    }
  }
}
