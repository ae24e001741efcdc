import Foundation
import Glibc
import Testing
import WickProfile
import WickTarget

/// What a user without rights can sample: root has the tests run again as nobody.
@Suite(.serialized) struct UnprivilegedSamplingTests {
  private static let mark = "WICK_TESTED_AS_NOBODY"
  static let isRoot = geteuid() == 0
  static let isNobody = ProcessInfo.processInfo.environment[mark] != nil
  /// As the kernel has it by default; more is denied, less is allowed.
  static let allowsUserTime =
    (try? String(contentsOfFile: "/proc/sys/kernel/perf_event_paranoid", encoding: .utf8)) == "2\n"

  @Test(.enabled(if: isRoot && allowsUserTime && PerfProgram.isPermitted))
  func nobodySamplesOwnProcesses() throws {
    try PerfProgram.run(
      [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/proc/self/exe".resolved,
        "--testing-library", "swift-testing", "--filter", "ringsThatNobodyMayHaveAreSmaller",
      ], [Self.mark: "1", "HOME": "/tmp"])
  }

  @Test(.enabled(if: isNobody)) func ringsThatNobodyMayHaveAreSmaller() throws {
    let program = try PerfProgram(
      PerfProgram.products.appending(path: "WickKnownSplit"),
      ["--seconds", "60", "--threads", "8"])
    // At this rate they would have 2.5 MiB, of which 0.5 MiB for each CPU may be locked.
    while try TargetProcess(pid: program.pid).threads.count < 10 { usleep(1000) }
    let (profile, outcome, _) = try program.sample(rate: 999)
    #expect(profile.origin.processes.map(\.isUserOnly) == [true])
    #expect(outcome.unarmedThreads == 0)
    #expect(profile.threads.count >= 8)
    #expect(abs(profile.leafShare("leaf_seventy") - 70) <= 4)
    // Another's process is out of reach.
    #expect(throws: TargetError.self) { _ = try PerfSampler(try TargetProcess(pid: 1)) }
  }
}

extension String {
  /// Where a link leads.
  fileprivate var resolved: String {
    URL(fileURLWithPath: self).resolvingSymlinksInPath().path
  }
}
