import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct CallTreeReportTests {
  static func text(
    _ profile: Profile, view: CallTreeReport.View = .all, column: Int = 0,
    limit: CallTreeReport.Limit = CallTreeReport.Limit()
  ) -> String {
    var text = ""
    CallTreeReport(profile, view: view, column: column, limit: limit).writeText(to: &text)
    return text
  }

  /// The text without the head that all reports share.
  private func body(
    _ profile: Profile, view: CallTreeReport.View = .all, column: Int = 0,
    limit: CallTreeReport.Limit = CallTreeReport.Limit()
  ) -> String {
    let text = Self.text(profile, view: view, column: column, limit: limit)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = lines.firstIndex(of: "") ?? 0
    return lines[(start + 1)...].prefix { !$0.hasPrefix("Accounting") }.joined(separator: "\n")
  }

  private var recorded: Profile { HotFunctionReportTests.recorded }

  @Test func drawsATreeWhoseChainsAreStraight() {
    #expect(
      body(recorded) == """
        Calls of 97 samples, those of 0.50 % and more

        total %  self %  total  function
          92.78    0.00     90  ├ main  server
          92.78   25.77     90  │ serve(_: Request)  server
          61.86   61.86     60  │ ├ memcpy  libc.so.6
           5.15    5.15      5  │ └ serve(_: Request)  server
           7.22    0.00      7  └ [truncated: too deep]
           7.22    7.22      7    libc.so.6+0xabc  libc.so.6

        Left out: nothing

        """)
    let text = Self.text(recorded)
    #expect(text.hasPrefix("Process    4711, stopped: server --port 80\n"))
    #expect(text.hasSuffix("50.00 % by frame pointer; 3.94 % unsampled CPU.\n"))
  }

  @Test func showsCallersTowardsTheEntries() throws {
    #expect(
      body(recorded, view: .callers(try FramePattern("serve"))) == """
        Callers of 'serve' (1 function, 92.78 % of 97 samples), those of 0.50 % and more

        of F %  of all %  total  function, below it its callers
        100.00     92.78     90  serve(_: Request)  server
        100.00     92.78     90  main  server

        Left out: nothing

        """)
  }

  @Test func writesTheSameWayToTheEntryOnce() throws {
    let way = ["start", "main", "loop", "serve"]
    var stacks: [([String], Int64)] = [
      (way + ["a", "f"], 4), (way + ["b", "f"], 3), (["start", "main", "c", "f"], 2),
    ]
    func drawn() throws -> String {
      let view = CallTreeReport.View.callers(try FramePattern("f"))
      let lines = body(HotFunctionReportTests.named(stacks), view: view).split(separator: "\n")
      return lines.dropFirst(2).prefix { !$0.hasPrefix("Left") }.map { $0.dropFirst(25) }
        .joined(separator: "\n")
    }
    #expect(
      try drawn() == """
        f
        ├ a
        │ serve
        │ loop
        │ main
        │ start
        ├ b
        │ serve … and 3 callers as above
        └ c
          main
          start
        """)
    // Another value on the way is another way.
    stacks.append((["main", "loop", "serve", "b", "f"], 1))
    #expect(try !drawn().contains("as above"))
  }

  @Test func showsCalleesInPercentOfBoth() throws {
    #expect(
      body(recorded, view: .callees(try FramePattern("/^serve|memcpy$/"))) == """
        Callees of '/^serve|memcpy$/' (1 function, 92.78 % of 97 samples), those of 0.50 % and more

        of F %  of all %  self %  total  function
        100.00     92.78   27.78     90  serve(_: Request)  server
         66.67     61.86   66.67     60  ├ memcpy  libc.so.6
          5.56      5.15    5.56      5  └ serve(_: Request)  server

        Left out: nothing

        """)
  }

  @Test func leavesOutWhatCostsLittleAndCountsIt() {
    #expect(
      body(recorded, limit: CallTreeReport.Limit(hundredthsOfPercent: 800)) == """
        Calls of 97 samples, those of 8.00 % and more

        total %  self %  total  function
          92.78    0.00     90  main  server
          92.78   25.77     90  serve(_: Request)  server
          61.86   61.86     60  memcpy  libc.so.6

        Left out: 3 calls, 12.37 % of 97 samples

        """)
    #expect(
      body(recorded, column: 1, limit: CallTreeReport.Limit(count: 2)) == """
        Calls of 979.798 ms cpu, those of 0.50 % and more, at most 2

        total %  self %       total  function
          92.78    0.00  909.091 ms  main  server
          92.78   25.77  909.091 ms  serve(_: Request)  server

        Left out: 4 calls, 74.23 % of 979.798 ms cpu

        """)
  }

  /// A part of exactly the limit is shown.
  @Test func limitIsExact() {
    let profile = HotFunctionReportTests.named([(["a"], 995), (["b"], 5)])
    let shown = CallTreeReport.Limit(hundredthsOfPercent: 50)
    #expect(body(profile, limit: shown).contains("└ b"))
    let left = CallTreeReport.Limit(hundredthsOfPercent: 51)
    #expect(body(profile, limit: left).contains("Left out: 1 call, 0.50 % of 1000 samples"))
  }

  @Test func showsStacksOfNoFunction() {
    let profile = HotFunctionReportTests.named([([], 3), (["a"], 1)])
    #expect(
      body(profile).contains(
        """
          75.00   75.00      3  ├ (no function)
          25.00   25.00      1  └ a

        """))
  }

  @Test func showsAnEmptyProfile() {
    #expect(
      body(Profile(valueTypes: [.samples])) == """
        Calls of 0 samples, those of 0.50 % and more

        total %  self %  total  function

        Left out: nothing

        """)
  }

  @Test func saysDepthWhereIndentationWouldBeTooWide() {
    // Each call has two callees, so that all are branches.
    let names = (0..<40).map { "f\($0)" }
    let stacks = names.indices.map { (Array(names[..<$0]) + ["leaf"], Int64(1)) }
    let lines = body(HotFunctionReportTests.named(stacks)).split(separator: "\n")
    let rails = String(repeating: "│ ", count: 24)
    #expect(lines.contains { $0.hasSuffix("  \(rails.dropLast(2))├ f23") })
    #expect(lines.contains { $0.hasSuffix("  \(rails)[26] f25") })
    #expect(lines.allSatisfy { $0.count < 110 })
  }

  @Test func drawsVeryDeepStacks() throws {
    var profile = Profile(valueTypes: [.samples])
    let frames = ["f", "g", "h"].map { profile.intern(Frame(function: $0)) }
    var node = 0
    for depth in 0..<100_000 {
      node = profile.stack(parent: node, frame: frames[depth % 2])
      // Every tenth call is a branch.
      guard depth % 10 == 0 else { continue }
      let leaf = profile.stack(parent: node, frame: frames[2])
      profile.add(Profile.Sample(stack: leaf), values: [1])
    }
    let all = CallTreeReport.Limit(hundredthsOfPercent: 0)
    let text = Self.text(profile, limit: all)
    #expect(text.utf8.count < 15_000_000)
    #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } > 109_000)
    var json = ""
    CallTreeReport(profile, limit: all).writeJSON(to: &json)
    #expect(json.contains("\"depth\": 99992,"))
    let callers = Self.text(profile, view: .callers(try FramePattern("h")))
    #expect(callers.contains("100.00    100.00  10000  h"))
  }

  @Test func namesAreHarmless() throws {
    let profile = HotFunctionReportTests.named([(["\u{1b}[31m\n", "a\u{202e}"], 1)])
    for view in [.all, .callers(try FramePattern("/\u{202e}/"))] as [CallTreeReport.View] {
      let text = Self.text(profile, view: view)
      #expect(!text.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{202e}" })
      #expect(text.contains("  \u{fffd}[31m\u{fffd}\n"))
    }
  }

  @Test func figuresAgreeWithTheFunctionTable() throws {
    let table = HotFunctionReport(recorded).table
    for row in table.rows {
      let pattern = try FramePattern(row.function.name)
      for view in [.callers(pattern), .callees(pattern)] as [CallTreeReport.View] {
        let report = CallTreeReport(recorded, view: view)
        #expect(report.tree.nodes[0].totalValue == row.totalValue)
        #expect(report.total == table.total)
      }
    }
    let tree = CallTreeReport(recorded).tree
    #expect(tree.nodes[0].totalValue == table.total)
    #expect(tree.nodes.reduce(0) { $0 + $1.selfValue } == table.total)
  }
}
