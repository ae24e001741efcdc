import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct GroupReportTests {
  private func text(
    _ profile: Profile, by grouping: GroupTable.Grouping, column: Int = 0, limit: Int = 20
  ) -> String {
    var text = ""
    GroupReport(profile, by: grouping, column: column, limit: limit).writeText(to: &text)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = lines.firstIndex(of: "") ?? 0
    return lines[(start + 1)...].prefix { !$0.hasPrefix("Accounting") }.joined(separator: "\n")
  }

  private func json(_ profile: Profile, by grouping: GroupTable.Grouping) throws -> [String: Any] {
    var text = ""
    GroupReport(profile, by: grouping).writeJSON(to: &text)
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [String: Any])
  }

  @Test func listsModules() {
    #expect(
      text(HotFunctionReportTests.recorded, by: .module) == """
        Showing the top 3 of 3 modules: 100.00 % of 97 samples

        self  self %  total  total %  module
          67   69.07     67    69.07  libc.so.6
          30   30.93     90    92.78  server
           0    0.00      7     7.22  (no module)

        """)
  }

  @Test func listsFilesByTheShortestNamesThatTellThemApart() {
    #expect(
      text(HotLineReportTests.profile, by: .file, column: 1, limit: 3) == """
        Showing the top 3 of 4 files: 100.00 % of 100.000 ms cpu

             self  self %      total  total %  file
        50.000 ms   50.00  70.000 ms    70.00  lib/main.swift
        31.000 ms   31.00  31.000 ms    31.00  (no file)
        19.000 ms   19.00  89.000 ms    89.00  serve.swift

        """)
  }

  @Test func listsThreads() {
    var profile = HotFunctionReportTests.recorded
    profile.threads.append(Profile.Thread(pid: 4711, tid: 4712, name: "wor\u{1b}ker"))
    profile.add(Profile.Sample(stack: 1, thread: 1), values: [100, 0])
    profile.add(Profile.Sample(stack: 1), values: [3, 0])
    #expect(
      text(profile, by: .thread) == """
        Showing the top 3 of 3 threads: 100.00 % of 200 samples

        total  total %  process  thread  name
          100    50.00     4711    4712  wor\u{fffd}ker
           97    48.50     4711    4711  main
            3     1.50                   (no thread)

        """)
  }

  @Test func writesJSON() throws {
    let modules = try json(HotFunctionReportTests.recorded, by: .module)
    #expect(modules["moduleCount"] as? Int == 3)
    let rows = try #require(modules["modules"] as? [[String: Any]])
    #expect(rows[0]["module"] as? String == "libc.so.6" && rows[2]["module"] is NSNull)
    #expect(rows[1]["self"] as? Int == 30 && rows[1]["total"] as? Int == 90)
    #expect(rows[1]["totalPercent"] as? Double == 92.78)
    let threads = try json(HotFunctionReportTests.recorded, by: .thread)
    let thread = try #require((threads["threads"] as? [[String: Any]])?.first)
    #expect(thread["name"] as? String == "main")
    #expect(thread["tid"] as? Int == 4711 && thread["pid"] as? Int == 4711)
    let files = try json(HotLineReportTests.profile, by: .file)
    let file = try #require((files["files"] as? [[String: Any]])?.first)
    #expect(file["file"] as? String == "/src/lib/main.swift")
    #expect(files["filter"] is NSNull)
  }

  @Test func sumsAgreeWithTheFunctionReport() throws {
    for (grouping, key) in zip(
      GroupTable.Grouping.allCases, ["processes", "threads", "modules", "files", "types"])
    {
      let object = try json(HotFunctionReportTests.recorded, by: grouping)
      let rows = try #require(object[key] as? [[String: Any]])
      #expect(rows.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == 97)
    }
  }
}
