import Foundation
import Testing
import WickProfile

@testable import WickRender

@Suite struct MemoryReportTests {
  private func column(_ type: ValueType) throws -> Int {
    try #require(memoryProfile().valueTypes.firstIndex(of: type))
  }

  private func text(_ report: any ProfileReport) -> String {
    var text = ""
    report.writeText(to: &text)
    return text
  }

  private func json(_ report: any ProfileReport) throws -> [String: Any] {
    var text = ""
    report.writeJSON(to: &text)
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// What stands between the head and the account.
  private func table(_ report: any ProfileReport) -> String {
    let lines = text(report).split(separator: "\n", omittingEmptySubsequences: false)
    let start = lines.firstIndex { $0.isEmpty } ?? 0
    return lines[(start + 3)...].prefix { !$0.isEmpty }.joined(separator: "\n")
  }

  /// The line of the program that asked for memory is the one that allocates, through containers and
  /// runtimes.
  @Test func linesAreThoseOfTheProgram() throws {
    let report = HotLineReport(
      memoryProfile().withoutObjectTypes, column: try column(.allocatedSpace))
    #expect(
      table(report) == """
               self      ±  self %        total      ±  total %  line         function  module
        256.000 KiB  156 %   96.97  256.000 KiB  156 %    96.97  app.swift:5  work      app
          8.000 KiB  456 %    3.03  264.000 KiB  133 %   100.00  app.swift:9  main      app
        """)
    #expect(text(report).contains("Lines      known for 100.00 %"))
    let cpu = HotLineReport(memoryProfile(), column: 0)
    #expect(cpu.table.rows.map(\.place.line.line) == [5, 9])
    #expect(table(cpu).contains("  100.00      5   100.00  app.swift:5"))
  }

  @Test func functionsHaveErrorsOnlyIfSampled() throws {
    let space = try column(.allocatedSpace)
    let sampled = table(HotFunctionReport(memoryProfile().withoutObjectTypes, column: space))
    #expect(sampled.contains("±"))
    #expect(sampled.contains("swift_allocObject"))
    let exact = HotFunctionReport(memoryProfile(interval: 1).withoutObjectTypes, column: space)
    #expect(!text(exact).contains("±"))
    #expect(text(exact).contains("Followed   allocations: every one"))
    #expect(try json(exact)["functions"].map { "\($0)".contains("Interval") } == false)
  }

  @Test func intervalsAreBoundsInJSON() throws {
    let report = HotFunctionReport(
      memoryProfile().withoutObjectTypes, column: try column(.allocatedObjects))
    let rows = try #require(try json(report)["functions"] as? [[String: Any]])
    let main = try #require(rows.first { $0["function"] as? String == "main" })
    let bounds = try #require(main["totalInterval"] as? [Int])
    #expect(main["total"] as? Int == 5000)
    #expect(bounds[0] < 2000 && bounds[0] > 1000 && bounds[1] > 10_000 && bounds[1] < 12_000)
    let work = try #require(rows.first { $0["function"] as? String == "work" })
    #expect(work["selfInterval"] is NSNull)
    let account = try #require(
      (try json(report)["accounting"] as? [String: Any])?["allocations"] as? [String: Any])
    #expect(account["intervals"] as? [Int] == [524_288])
    #expect(account["alloc_objects"] as? Int == 5000)
  }

  @Test func treesHaveErrorsAndTypes() throws {
    let report = CallTreeReport(memoryProfile(), column: try column(.liveSpace))
    #expect(
      table(report) == """
        total %  self %        total      ±  function
         100.00    0.00  128.000 KiB  261 %  main  app
         100.00    0.00  128.000 KiB  261 %  work  app
         100.00    0.00  128.000 KiB  261 %  push_back  app
         100.00    0.00  128.000 KiB  261 %  swift_allocObject  libswiftCore.so
         100.00  100.00  128.000 KiB  261 %  app.Node
        """)
  }

  @Test func typesAreListed() throws {
    let report = GroupReport(memoryProfile(), by: .type, column: try column(.allocatedSpace))
    #expect(
      table(report) == """
              total      ±  total %  type
        136.000 KiB  192 %    51.52  [untyped]
        128.000 KiB  261 %    48.48  app.Node
        """)
    let rows = try #require(try json(report)["types"] as? [[String: Any]])
    #expect(rows.map { $0["type"] as? String } == [nil, "app.Node"])
  }

  @Test func headAndAccountTellOfAllocations() throws {
    let text = text(HotFunctionReport(memoryProfile()))
    for line in [
      "Samples    1, weight 5\n",
      "Memory     5,000 objects allocated, 264.000 KiB; 2,000 objects live at the end, 128.000 KiB; "
        + "high-water mark 136.000 KiB\n",
      "Followed   allocations: every 512 KiB sampled; ± is a 95 % interval\n",
      "Lives      3 ms on average; 10.00 % temporary, freed before the thread's next allocation\n",
      "Values     --value samples, cpu, alloc_objects, alloc_space, ",
      "; allocations: every 512 KiB sampled, lost not known.\n",
    ] {
      #expect(text.contains(line), "\(line)\(text)")
    }
  }

  @Test func leaksAreStacksOfTheProgram() throws {
    let report = try #require(LeakReport(memoryProfile(), threshold: .age(5_000_000_000)))
    let lines = text(report).split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.isEmpty })
    #expect(
      lines[start...].joined(separator: "\n").hasPrefix(
        """

        Live at the end, by stack: the top 1 of 1, 100.00 % of 64.000 KiB in 1,000 objects
        Left out: 1,000 objects, 64.000 KiB, live for less than 5.000 s

        64.000 KiB ± 456 %, 100.00 %, 1,000 objects, mean age 8.000 s: app.Node
          work  app.swift:5  (app)
          main  app.swift:9  (app)

        Accounting:
        """))
    let json = try json(report)
    #expect(json["bytes"] as? Int == 65_536)
    let stacks = try #require(json["stacks"] as? [[String: Any]])
    #expect(stacks.count == 1)
    #expect(stacks[0]["meanAgeNanoseconds"] as? Int == 8_000_000_000)
    #expect(stacks[0]["types"] as? [String] == ["app.Node"])
    #expect((stacks[0]["frames"] as? [[String: Any]])?.map { $0["line"] as? Int } == [5, 9])
    #expect(LeakReport(Profile(valueTypes: [.samples])) == nil)
  }

  @Test func flameGraphHasTypesAsLeavesAndBytesInTheirUnit() throws {
    let column = try column(.liveSpace)
    var text = ""
    FlameGraph(memoryProfile(), column: column).write(to: &text)
    #expect(text.contains("<title>app.Node\n128.000 KiB, 100.00%</title>"))
    #expect(text.contains(">types</text>"))
    #expect(!text.contains("call paths are too narrow"))
    var plain = ""
    FlameGraph(memoryProfile().withoutObjectTypes, column: column).write(to: &plain)
    #expect(!plain.contains("app.Node"))
    #expect(plain.contains("data-total=\"131072\""))
    // What only samples count is not in the picture of allocations, nor the other way round.
    var samples = ""
    FlameGraph(memoryProfile(), column: 0).write(to: &samples)
    #expect(!samples.contains("swift_allocObject"))
    #expect(!samples.contains("call paths are too narrow"))
  }
}
