import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct HotFunctionReportJSONTests {
  private func json(_ profile: Profile, limit: Int = 20) -> String {
    HotFunctionReportTests.json(profile, limit: limit)
  }

  private func parse(_ text: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [String: Any])
  }

  @Test func isWrittenInOneOrder() {
    #expect(
      json(HotFunctionReportTests.named([(["main", "f"], 2), (["main"], 1)]), limit: 1) == """
        {
          "version": 1,
          "value": {
            "name": "samples",
            "unit": "count"
          },
          "total": 3,
          "functionCount": 2,
          "functions": [
            {
              "function": "f",
              "module": "",
              "self": 2,
              "selfPercent": 66.67,
              "total": 2,
              "totalPercent": 66.67
            }
          ],
          "filter": null,
          "processes": [],
          "accounting": {
            "samples": 2,
            "weight": 3,
            "expectedWeight": null,
            "lostWeight": {},
            "truncatedWeight": 0,
            "framePointerSamples": null,
            "cpuNanoseconds": null,
            "sampledNanoseconds": null,
            "unsampledNanoseconds": null
          },
          "origin": {
            "rateHertz": 0,
            "deliveredHertz": null,
            "periodNanoseconds": 0,
            "startRealtimeNanoseconds": 0,
            "durationNanoseconds": 0,
            "isIncomplete": false,
            "warnings": [],
            "processes": []
          }
        }

        """)
  }

  @Test func holdsTheAccounts() throws {
    let object = try parse(json(HotFunctionReportTests.recorded))
    #expect(object["version"] as? Int == 1)
    #expect(object["total"] as? Int == 97)
    let accounting = try #require(object["accounting"] as? [String: Any])
    #expect(accounting["samples"] as? Int == 4)
    #expect(accounting["weight"] as? Int == 97)
    // 1.02 s at 10.1 ms each.
    #expect(accounting["expectedWeight"] as? Int == 101)
    #expect(
      accounting["lostWeight"] as? [String: Int]
        == ["lostRingFull": 2, "lostNoSlot": 0, "lostStackTable": 1])
    #expect(accounting["truncatedWeight"] as? Int == 7)
    #expect(accounting["unsampledNanoseconds"] as? Int == 1_020_000_000 - 97 * 10_101_010)
    let origin = try #require(object["origin"] as? [String: Any])
    #expect(origin["deliveredHertz"] as? Double == 95.1)
    let process = try #require((origin["processes"] as? [[String: Any]])?.first)
    #expect(process["endReason"] as? String == "stopped")
    let info = try #require(process["info"] as? [String: String])
    #expect(info["command"] == "server --port 80")
  }

  @Test func sumsAgreeWithTheProfile() throws {
    let object = try parse(json(HotFunctionReportTests.recorded, limit: .max))
    let functions = try #require(object["functions"] as? [[String: Any]])
    #expect(functions.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == 97)
    #expect(object["functionCount"] as? Int == functions.count)
  }

  @Test func readsBackAnyName() throws {
    let names = [
      "\"quoted\" \\ / back\\\\slash", "line\nbreak\r\ttab", "\u{0}\u{1}\u{1f}\u{7f}\u{85}",
      "</script><script>alert(1)</script>", "\u{2028}\u{2029}", "日本 🚀 e\u{301}", "{\"a\": [1]}",
    ]
    var profile = HotFunctionReportTests.named(names.map { ([$0], 1) })
    profile.origin.warnings = names
    var process = Origin.Process(pid: 1)
    for name in names { process.info[name] = name }
    profile.origin.processes = [process]
    let text = json(profile)
    #expect(!text.contains("</script"))
    let object = try parse(text)
    let functions = try #require(object["functions"] as? [[String: Any]])
    #expect(Set(functions.compactMap { $0["function"] as? String }) == Set(names))
    let origin = try #require(object["origin"] as? [String: Any])
    #expect(origin["warnings"] as? [String] == names)
  }

  @Test func holdsTheLargestNumbers() throws {
    var profile = HotFunctionReportTests.named([(["f"], .max), (["f"], .max)])
    profile.origin.durationNanoseconds = .max
    let text = json(profile)
    #expect(text.contains("\"self\": 9223372036854775807,"))
    #expect(text.contains("\"selfPercent\": 100.00,"))
    #expect(text.contains("\"durationNanoseconds\": 18446744073709551615,"))
    #expect(HotFunctionReportTests.text(profile).contains("Duration   9223372036.855 s"))
    _ = try parse(text)
  }
}
