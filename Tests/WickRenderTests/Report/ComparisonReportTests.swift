import Foundation
import Testing
import WickProfile
import WickRender

struct ComparisonReportTests {
  private let comparison = Comparison(
    before: Profile(stacks: [("main;serve;render", 250), ("main;log", 100), ("main;old", 120)]),
    after: Profile(stacks: [("main;serve;render", 500), ("main;log", 20), ("main;fresh", 90)]))

  @Test func changedFunctionsAreListedByTheirOwnDifference() {
    var text = ""
    ComparisonReport(comparison).writeText(to: &text)
    #expect(
      text == """
        before  470 samples
        after   610 samples

        6 of 6 functions changed by more than chance explains (3 standard deviations, 99 of all)

        self Δ  before  after  total Δ  before  after        function  module
          +250     250    500     +250     250    500  more  render
          -120     120      0     -120     120      0  gone  old
           +90       0     90      +90       0     90  new   fresh
           -80     100     20      -80     100     20  less  log
             0       0      0     +250     250    500  more  serve
             0       0      0     +140     470    610  more  main

        """)
  }

  @Test func jsonHasEveryFunctionAndCallPath() throws {
    var text = ""
    ComparisonReport(comparison, limit: 1).writeJSON(to: &text)
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let functions = try #require(json["functions"] as? [[String: Any]])
    #expect(functions.count == 6)
    #expect(
      functions.map { $0["change"] as? String } == [
        "more", "gone", "new", "less", "more", "more",
      ])
    let paths = try #require(json["paths"] as? [[String: Any]])
    #expect(paths.count == 7)
    #expect(paths.map { $0["depth"] as? Int } == [0, 1, 2, 2, 2, 2, 3])
    #expect(paths.map { $0["totalDifference"] as? Int } == [140, 140, 90, -80, -120, 250, 250])
    let names = paths.dropFirst().map { functions[$0["function"] as? Int ?? 0]["function"] }
    #expect(names.map { $0 as? String } == ["main", "fresh", "log", "old", "serve", "render"])
  }

  @Test func lossesOfBothAreTold() throws {
    let sources = (Profile(stacks: [("a", 3)]), Profile(stacks: [("a", 4)]))
    let report = ComparisonReport(
      Comparison(before: sources.0, after: sources.1), sources: (sources.0, sources.1))
    var (text, json) = ("", "")
    report.writeText(to: &text)
    report.writeJSON(to: &json)
    #expect(text.contains("before: Accounting: ") && text.contains("after: Accounting: "))
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    for side in ["before", "after"] {
      let account = try #require(object?[side] as? [String: Any])
      #expect(account["accounting"] is [String: Any])
    }
  }

  @Test func equalProfilesHaveNothingToList() {
    var text = ""
    ComparisonReport(Comparison(before: comparison.profile, after: comparison.profile))
      .writeText(to: &text)
    #expect(text.contains("0 of 6 functions changed"))
  }
}
