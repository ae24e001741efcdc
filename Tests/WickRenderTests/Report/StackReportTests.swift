import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct StackReportTests {
  private static func frame(
    _ function: String, _ file: String? = nil, _ line: UInt32 = 0, isInlined: Bool = false
  ) -> Frame {
    Frame(
      module: 0, address: 0x1a2b, function: function, file: file, line: line, isInlined: isInlined)
  }

  private static let truncation = Frame(kind: .truncated, function: "[truncated: too deep]")

  /// Stacks leaf first, and what their threads do.
  private static let stacks: [(frames: [Frame], name: String, systemCall: String?)] = [
    ([frame("epoll_wait"), frame("main", "/src/main.c", 12)], "server", "epoll_wait"),
    ([frame("wait"), frame("work", "/src/pool.c", 7)], "worker", "futex"),
    ([frame("wait"), frame("work", "/src/pool.c", 7)], "worker", "futex"),
    ([frame("wait"), frame("work", "/src/pool.c", 7)], "wor\u{1b}ker", nil),
    (
      [frame("parse", "/src/parse.c", 3, isInlined: true)]
        + Array(repeating: [frame("list"), frame("item")], count: 5).joined()
        + [truncation], "deep", nil
    ),
    ([], "gone", nil),
  ]

  private func report(isGrouped: Bool = true, hasEnded: Bool = false) -> StackReport {
    var profile = Profile(valueTypes: [ValueType(name: "threads", unit: "count")])
    profile.modules = [
      Module(path: "/opt/bin/server", buildID: [], loadBias: 0, extent: 0..<0x10000)
    ]
    profile.origin.warnings = ["a warning"]
    var threads: [StackReport.Thread] = []
    for (index, stack) in Self.stacks.enumerated() {
      var node = 0
      for frame in stack.frames.reversed() {
        node = profile.stack(parent: node, frame: profile.intern(frame))
      }
      threads.append(
        StackReport.Thread(
          tid: 4711 + Int32(index), name: stack.name,
          state: stack.systemCall == nil ? "running" : "sleeping", systemCall: stack.systemCall,
          pauseNanoseconds: index == 3 ? 41_999 : 0, stack: node))
    }
    return StackReport(
      profile, threads: threads, pid: 4711, name: "server", isGrouped: isGrouped,
      hasEnded: hasEnded)
  }

  @Test func groupsThreadsByTheirStacks() {
    var text = ""
    report(hasEnded: true).writeText(to: &text)
    #expect(
      text == """
        Process 4711 (server): 6 threads, 1 stopped for this, the longest for 41 µs
        It ended meanwhile: threads may be missing.

        Thread 4711 server: sleeping in epoll_wait
          #0  epoll_wait             (server)
          #1  main        main.c:12  (server)

        3 threads: 2 sleeping in futex, 1 running
          worker 4712–4713; wor\u{fffd}ker 4714
          #0  wait            (server)
          #1  work  pool.c:7  (server)

        Thread 4715 deep: running
          #0  parse [inlined]                       parse.c:3  (server)
          #1  list                                             (server)
          #2  item                                             (server)
           …  the 2 frames above come 4 more times
              [truncated: too deep]

        Thread 4716 gone: running

        """)
  }

  @Test func showsEachThreadByItselfIfWanted() {
    var text = ""
    report(isGrouped: false).writeText(to: &text)
    #expect(text.split(separator: "\n").count { $0.hasPrefix("Thread ") } == 6)
  }

  @Test func writesEverythingAsJSON() throws {
    var text = ""
    report().writeJSON(to: &text)
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(value["version"] as? Int == 1)
    #expect(value["warnings"] as? [String] == ["a warning"])
    let threads = try #require(value["threads"] as? [[String: Any]])
    #expect(threads.map { $0["tid"] as? Int } == [4711, 4712, 4713, 4714, 4715, 4716])
    #expect(threads[3]["name"] as? String == "wor\u{1b}ker")
    #expect(threads[3]["pauseNanoseconds"] as? Int == 41_999)
    #expect(threads[4]["truncation"] as? String == "[truncated: too deep]")
    let frames = try #require(threads[4]["frames"] as? [[String: Any]])
    #expect(frames.count == 11)
    #expect(frames[0]["function"] as? String == "parse")
    #expect(frames[0]["file"] as? String == "/src/parse.c")
    #expect(frames[0]["line"] as? Int == 3)
    #expect(frames[0]["isInlined"] as? Bool == true)
    #expect(frames[1]["line"] is NSNull)
    #expect(frames[1]["module"] as? String == "/opt/bin/server")
    #expect(frames[1]["address"] as? String == "0x1a2b")
  }
}
