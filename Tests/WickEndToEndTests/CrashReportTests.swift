import Foundation
import Testing

/// A Swift program that crashes still prints its backtrace: the runtime's handlers are passed on to.
@Suite(.serialized) struct CrashReportTests {
  /// Names of the functions of the crashed thread, leaf first.
  private func crashedStack(in report: String) -> [String] {
    guard
      let start = report.range(of: #"Thread [0-9]+( ".*")? crashed:"#, options: .regularExpression)
    else { return [] }
    var names: [String] = []
    for line in report[start.upperBound...].split(separator: "\n") {
      if line.hasPrefix("Thread ") || line.hasPrefix("Registers") { break }
      guard
        let frame = line.firstMatch(
          of: /^ *[0-9]+ +(?:\[[a-z]+\])? *0x[0-9a-f]+ (.+?) \+ [0-9]+ in/)
      else { continue }
      names.append(String(frame.output.1))
    }
    return names
  }

  /// How the report calls the crash, and what the program said of it.
  private func cause(in report: String) -> Substring? {
    report.firstMatch(of: /Program crashed: [A-Za-z ]+ at/)?.output
  }

  @Test(arguments: Permission.engines, ["fatal", "null", "bounds", "signal"])
  func backtraceIsPrinted(engine: String, way: String) throws {
    let environment = ["SWIFT_BACKTRACE": "enable=yes,color=no,threads=crashed"]
    let alone = try Host.runWatched("WickCrashProbe", [way], environment: environment)
    let expected = crashedStack(in: alone.errors + String(decoding: alone.output, as: UTF8.self))
    guard expected.contains("crashMiddle(_:)") else {
      print("the Swift runtime prints no backtraces here: they are not compared")
      return
    }
    try Host.withFolder { folder in
      let outcome = try Host.runWatched(
        "WickCrashProbe", [way],
        environment: Host.preloading(
          folder.appending(path: "%p.wick"), "hz=4999,engine=\(engine),children=off"
        ).merging(environment) { $1 })
      let report = outcome.errors + String(decoding: outcome.output, as: UTF8.self)
      #expect(outcome.exitCode == alone.exitCode)
      #expect(outcome.isSignaled == alone.isSignaled)
      #expect(
        cause(in: report)
          == cause(in: alone.errors + String(decoding: alone.output, as: UTF8.self)))
      // Where a signal came matters, not through whose hands it went.
      let found = crashedStack(in: report)
      let middle = expected.firstIndex(of: "crashMiddle(_:)") ?? 0
      #expect(
        Array(found.suffix(expected.count - middle)) == Array(expected[middle...]), "\(report)")
      #expect(way == "signal" || found == expected)
    }
  }
}
