import Foundation
import Testing
import WickProfile
import WickRender

/// What all reports say of processes.
@Suite struct ProcessReportTests {
  /// A shell that became a server, its helper, and a process that took nothing.
  static var processes: Profile {
    var profile = Profile(valueTypes: [.samples])
    let node = profile.stack(parent: 0, frame: profile.intern(Frame(function: "f")))
    let images: [(UInt32, [String: String])] = [
      (7, ["command": "sh -c server"]), (9, ["command": "help\u{1b}er -v"]), (8, [:]),
      (7, ["executable": "/bin/server", "command": longCommand]),
    ]
    for (pid, info) in images {
      var image = Origin.Process(pid: pid)
      image.info = info
      image.endReason = "exited"
      profile.origin.processes.append(image)
    }
    for (row, pid) in [7, 9, 7].enumerated() {
      profile.threads.append(Profile.Thread(pid: UInt32(pid), tid: UInt32(pid + row), name: "t"))
      profile.add(Profile.Sample(stack: node, thread: row), values: [Int64(10 << row)])
    }
    return profile
  }

  private static let longCommand = "./server \(String(repeating: "x", count: 200))"

  private func text(_ report: some ProfileReport) -> String {
    var text = ""
    report.writeText(to: &text)
    return text
  }

  @Test func processesAreListed() {
    let command = "./server \(String(repeating: "x", count: 91))…"
    #expect(
      text(GroupReport(Self.processes, by: .process)).contains(
        """
        Showing the top 2 of 2 processes: 100.00 % of 70 samples

        total  total %  process  name         command
           50    71.43        7  sh → server  \(command)
           20    28.57        9  help\u{fffd}er      help\u{fffd}er -v

        """))
  }

  @Test func headSaysWhatIsWhose() {
    let head = text(HotFunctionReport(Self.processes)).split(separator: "\n").prefix(2)
    #expect(
      head.first
        == "Processes  3, 2 with samples: sh → server (pid 7) 71.43 %, help\u{fffd}er (pid 9) 28.57 %"
    )
    #expect(head.last == "Process    7, exited: sh -c server")
    #expect(text(HotFunctionReport(HotFunctionReportTests.recorded)).hasPrefix("Process    4711"))
  }

  @Test func manyProcessesAreSummedByProgram() {
    var profile = Self.processes
    for pid in 20..<30 as Range<UInt32> {
      profile.threads.append(Profile.Thread(pid: pid, tid: pid, name: "worker"))
      let row = Profile.Sample(stack: 1, thread: profile.threads.count - 1)
      profile.add(row, values: [3])
    }
    #expect(
      profile.processShares() == """
        sh → server (pid 7) 50.00 %, worker (10 processes) 30.00 %, help\u{fffd}er (pid 9) 20.00 %
        """)
    for thread in profile.threads.indices.dropFirst(3) {
      profile.threads[thread].name += "\(thread)"
    }
    #expect(
      profile.processShares() == """
        sh → server (pid 7) 50.00 %, help\u{fffd}er (pid 9) 20.00 %, worker10 (pid 27) 3.00 %, \
        worker11 (pid 28) 3.00 %, 8 more 24.00 %
        """)
    #expect(HotFunctionReportTests.recorded.processShares() == nil)
  }

  @Test func treesBeginWithProcessesThatHaveNoModule() throws {
    let tree = text(CallTreeReport(Self.processes.rooted(at: .process)))
    #expect(
      tree.contains(
        """
          71.43    0.00     50  ├ sh → server (pid 7)
          71.43   71.43     50  │ f
          28.57    0.00     20  └ help\u{fffd}er (pid 9)
          28.57   28.57     20    f

        """))
    let callers = CallTreeReport(
      Self.processes.rooted(at: [.process, .thread]), view: .callers(try FramePattern("/./")))
    #expect(callers.matchCount == 1)
    #expect(text(callers).contains("function, below it its callers\n100.00    100.00     70  f\n"))
  }

  @Test func allFormsOfJSONHoldTheProcesses() throws {
    var forms = GroupTable.Grouping.allCases.map {
      GroupReport(Self.processes, by: $0) as any ProfileReport
    }
    forms += [
      HotFunctionReport(Self.processes), HotLineReport(Self.processes),
      CallTreeReport(Self.processes),
    ]
    for form in forms {
      var text = ""
      form.writeJSON(to: &text)
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let rows = try #require(object["processes"] as? [[String: Any]])
      #expect(rows.map { $0["pid"] as? Int } == [7, 9])
      #expect(rows.map { $0["total"] as? Int } == [50, 20])
      #expect(rows[0]["programs"] as? [String] == ["sh", "server"])
      #expect(rows[1]["command"] as? String == "help\u{1b}er -v")
    }
  }
}
