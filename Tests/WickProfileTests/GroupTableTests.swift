import Testing
import WickProfile

@Suite struct GroupTableTests {
  private static func rows(
    _ profile: Profile, by grouping: GroupTable.Grouping, column: Int = 0
  ) -> [String] {
    GroupTable(profile, by: grouping, column: column).rows.map {
      "\($0.name ?? "-") \($0.selfValue) \($0.totalValue)"
    }
  }

  private static var profile: Profile {
    var profile = Profile(valueTypes: [.samples, .cpu])
    profile.modules = ["/bin/server", "/lib/libc.so.6", "/old/libc.so.6"].map {
      Module(path: $0, buildID: [], loadBias: 0, extent: 0..<1)
    }
    profile.threads = [(1, "main"), (2, "worker"), (3, "worker"), (1, "main")].map {
      Profile.Thread(pid: 1, tid: $0.0, name: $0.1)
    }
    let main = Frame(module: 0, function: "main", file: "/src/main.c", line: 1)
    let loop = Frame(module: 0, function: "loop", file: "/src/main.c", line: 9)
    let read = Frame(module: 1, function: "read")
    let write = Frame(module: 2, function: "write")
    let jit = Frame(function: "jit", file: "/src/jit.js", line: 3)
    let stacks: [([Frame], Int64, Int?)] = [
      ([main, loop], 1, 0), ([main, loop, read], 2, 1), ([main, jit, write], 4, 2),
      ([jit], 8, 3), ([], 16, nil),
    ]
    for (frames, value, thread) in stacks {
      let node = frames.reduce(0) { profile.stack(parent: $0, frame: profile.intern($1)) }
      profile.add(Profile.Sample(stack: node, thread: thread), values: [value, value * 10])
    }
    return profile
  }

  @Test func sumsByModule() {
    #expect(
      Self.rows(Self.profile, by: .module) == ["- 24 28", "libc.so.6 6 6", "server 1 7"])
  }

  @Test func sumsByFile() {
    #expect(
      Self.rows(Self.profile, by: .file, column: 1)
        == ["- 220 220", "/src/jit.js 80 120", "/src/main.c 10 70"])
  }

  @Test func sumsByThread() {
    #expect(
      Self.rows(Self.profile, by: .thread)
        == ["- 16 16", "main 9 9", "worker 4 4", "worker 2 2"])
    #expect(
      GroupTable(Self.profile, by: .thread).rows.map { $0.thread?.tid } == [nil, 1, 3, 2])
  }

  @Test func sumsByProcess() {
    var profile = Self.profile
    profile.threads[2].pid = 0
    profile.threads[3].pid = 9
    #expect(Self.rows(profile, by: .process) == ["- 20 20", "main 8 8", "main 3 3"])
    #expect(GroupTable(profile, by: .process).rows.map { $0.process?.pid } == [nil, 9, 1])
  }

  @Test(arguments: GroupTable.Grouping.allCases)
  func selfValuesAddUpToTheTotal(grouping: GroupTable.Grouping) {
    for seed in 1...10 as ClosedRange<UInt64> {
      let profile = ProfileFilterTests.random(seed: seed)
      let table = GroupTable(profile, by: grouping)
      #expect(table.total == CallTree(profile).nodes[0].totalValue)
      #expect(table.rows.reduce(0) { $0 + $1.selfValue } == table.total)
      // A group's total is what is left if one looks for it alone.
      for row in table.rows {
        guard let name = row.process.map({ "\($0.pid)" }) ?? row.name, grouping != .file,
          let pattern = try? FramePattern("\(grouping.rawValue):\(name)")
        else { continue }
        let part = profile.filtered(by: ProfileFilter(focus: [pattern]))
        #expect(part.total(of: 0) == row.totalValue)
      }
    }
  }

  @Test func emptyProfileHasNoRows() {
    for grouping in GroupTable.Grouping.allCases {
      #expect(GroupTable(Profile(valueTypes: [.samples]), by: grouping).rows.isEmpty)
    }
  }

  @Test func saturates() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("a", value: .max)
    profile.add("a", "b", value: .max)
    #expect(Self.rows(profile, by: .module) == ["- \(Int64.max) \(Int64.max)"])
    #expect(Self.rows(profile, by: .thread) == ["- \(Int64.max) \(Int64.max)"])
  }
}
