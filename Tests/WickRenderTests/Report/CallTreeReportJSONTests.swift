import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct CallTreeReportJSONTests {
  private func json(
    _ profile: Profile, view: CallTreeReport.View = .all, limit: CallTreeReport.Limit
  ) -> String {
    var text = ""
    CallTreeReport(profile, view: view, limit: limit).writeJSON(to: &text)
    return text
  }

  private func parse(_ text: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [String: Any])
  }

  @Test func isWrittenInOneOrder() throws {
    let profile = HotFunctionReportTests.named([(["main", "f"], 2), (["main"], 1), (["g"], 1)])
    let text = json(
      profile, view: .callees(try FramePattern("main")),
      limit: CallTreeReport.Limit(hundredthsOfPercent: 7000))
    let end = try #require(text.range(of: "  \"accounting\""))
    #expect(
      text[..<end.lowerBound] == """
        {
          "version": 1,
          "view": "callees",
          "pattern": "main",
          "value": {
            "name": "samples",
            "unit": "count"
          },
          "total": 4,
          "treeTotal": 3,
          "callCount": 2,
          "calls": [
            {
              "depth": 1,
              "function": "main",
              "module": "",
              "self": 1,
              "selfPercent": 33.33,
              "total": 3,
              "percent": 100.00,
              "allPercent": 75.00
            }
          ],
          "leftOut": {
            "callCount": 1,
            "total": 2
          },
          "filter": null,
          "processes": [],

        """)
    _ = try parse(text)
  }

  @Test func callersHaveNoSelf() throws {
    let object = try parse(
      json(
        HotFunctionReportTests.recorded, view: .callers(try FramePattern("memcpy")),
        limit: CallTreeReport.Limit()))
    #expect(object["view"] as? String == "callers")
    let calls = try #require(object["calls"] as? [[String: Any]])
    #expect(
      calls.map { $0["function"] as? String } == ["memcpy", "serve(_: Request)", "main"])
    #expect(calls.map { $0["depth"] as? Int } == [1, 2, 3])
    #expect(calls.allSatisfy { $0["self"] == nil && $0["total"] as? Int == 60 })
    #expect((object["accounting"] as? [String: Any])?["weight"] as? Int == 97)
  }

  @Test func sumsAgreeWithTheProfile() throws {
    let object = try parse(
      json(
        HotFunctionReportTests.recorded, limit: CallTreeReport.Limit(hundredthsOfPercent: 0)))
    let calls = try #require(object["calls"] as? [[String: Any]])
    #expect(calls.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == 97)
    #expect(object["callCount"] as? Int == calls.count)
    #expect(object["pattern"] is NSNull)
  }

  @Test func stacksOfNoFunctionHaveNoName() throws {
    let profile = HotFunctionReportTests.named([([], 3), (["a"], 1)])
    let object = try parse(json(profile, limit: CallTreeReport.Limit()))
    let calls = try #require(object["calls"] as? [[String: Any]])
    #expect(calls[0]["function"] is NSNull && calls[0]["depth"] as? Int == 0)
    #expect(calls[0]["self"] as? Int == 3 && calls[0]["total"] as? Int == 3)
  }
}
