import Foundation
import Testing

/// The handler makes no forbidden call: no malloc, no lock, no loader, no system call that blocks.
@Suite(.serialized) struct HandlerAuditTests {
  /// Runs the probe with libraries preloaded and the audit's report in a file.
  private func run(
    _ mode: String, preloading libraries: [URL], options: String
  ) throws -> HandlerAudit.Report {
    try Host.withFolder { folder in
      let report = folder.appending(path: "audit")
      let outcome = try Host.run(
        "WickAgentProbe", mode.split(separator: " ").map(String.init),
        environment: [
          "LD_PRELOAD": libraries.map(\.path).joined(separator: ":"), "WICK_AUDIT": report.path,
          "WICK": "out=\(folder.path)/x.wick,\(options)",
        ])
      #expect(outcome.exitCode == 0, "\(mode): \(outcome.errors)")
      return try HandlerAudit.Report(report)
    }
  }

  private func expectInnocence(
    _ report: HandlerAudit.Report, leastRuns: UInt64, of mode: Comment = "all"
  ) {
    #expect(report.runs >= leastRuns, mode)
    #expect(report.forbiddenCalls == [:], mode)
    #expect(report.functions == [:])
    #expect(report.errnoChanges == 0)
    #expect(report.unwatchedThreads == 0)
    // Of a 16 KiB stack little more than a tenth.
    #expect(report.mostStackBytes < 1800)
  }

  @Test(arguments: Permission.engines) func handlerMakesNoForbiddenCall(engine: String) throws {
    for mode in ["burn 0.5", "churn", "signal-stack", "small-stacks", "deep", "fork-loop"] {
      let report = try run(
        mode, preloading: [HandlerAudit.library, Host.agent], options: "hz=4999,engine=\(engine)")
      expectInnocence(report, leastRuns: 20, of: "\(mode)")
    }
  }

  @Test func auditSeesWhatIsForbidden() throws {
    let bad = HandlerAudit.compile("misbehave", as: "libwick-bad.so")
    let report = try run("burn 0.5", preloading: [HandlerAudit.library, bad], options: "hz=99")
    #expect(report.runs > 20)
    #expect(report.errnoChanges == report.runs)
    // write is system call 1; malloc, free, pthread_mutex_lock and _unlock are these places.
    #expect(report.forbiddenCalls == [1: report.runs])
    #expect(
      report.functions == [0: report.runs, 3: report.runs, 7: report.runs, 9: report.runs])
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["WICK_AUDIT"] != nil))
  func everythingThatRanUntilNowWasInnocent() throws {
    let file = try #require(ProcessInfo.processInfo.environment["WICK_AUDIT"])
    expectInnocence(try HandlerAudit.Report(URL(filePath: file)), leastRuns: 100)
  }
}
