import Testing
import WickProfile

@Suite struct StackRootsTests {
  private static let kinds: [StackRoots] = [[], .process, .thread, [.process, .thread]]

  @Test(arguments: kinds) func totalsStayAndRootsHaveThoseOfTheirGroup(roots: StackRoots) {
    for seed in 1...10 as ClosedRange<UInt64> {
      let profile = ProfileFilterTests.random(seed: seed)
      let rooted = profile.rooted(at: roots)
      #expect(rooted.columns == profile.columns)
      #expect(rooted.samples.map(\.thread) == profile.samples.map(\.thread))
      #expect(rooted.origin == profile.origin)
      let functions = FunctionTable(CallTree(profile)).rows
      let table = FunctionTable(CallTree(rooted)).rows
      for row in functions {
        #expect(table.contains(row))
      }
      var rootCount = 0
      for (root, grouping) in [
        (StackRoots.process, GroupTable.Grouping.process), (.thread, .thread),
      ] where roots.contains(root) {
        for group in GroupTable(profile, by: grouping).rows {
          guard let name = group.process?.title ?? group.thread?.title else { continue }
          rootCount += 1
          let row = table.first { $0.function == .init(name: name, module: "[\(grouping)]") }
          #expect(row?.totalValue == group.totalValue)
        }
      }
      #expect(table.count == functions.count + rootCount)
    }
  }

  @Test func processStandsBelowItsThread() {
    var profile = Profile(valueTypes: [.samples])
    profile.threads = [
      Profile.Thread(pid: 7, tid: 8, name: "io"), Profile.Thread(pid: 0, tid: 9, name: "lone"),
    ]
    let node = profile.stack(parent: 0, frame: profile.intern(Frame(function: "f")))
    for thread in [0, 1, nil] {
      profile.add(Profile.Sample(stack: node, thread: thread), values: [1])
    }
    #expect(
      profile.rooted(at: [.process, .thread]).paths
        == [["io (pid 7)", "io (tid 8)", "f"], ["lone (tid 9)", "f"], ["f"]])
    #expect(profile.rooted(at: .process).paths == [["io (pid 7)", "f"], ["f"], ["f"]])
  }

  @Test func rootsAreNoFunctionsForPatterns() throws {
    let rooted = ProfileFilterTests.random(seed: 1).rooted(at: [.process, .thread])
    for text in ["server", "worker", "module:[process]", "/pid/"] {
      let filter = ProfileFilter(hide: [try FramePattern(text)])
      let rest = rooted.filtered(by: filter)
      #expect(rest.origin.excerpt?.unmatched == [text])
      #expect(rest.paths == rooted.paths)
    }
  }

  @Test func processesAreNamedAsTheyCallThemselves() throws {
    var profile = Profile(valueTypes: [.samples])
    let commands = [
      "nginx: worker process   ", "nginx -g x: y", "/usr/sbin/nginx: x",
      "nginx: \(String(repeating: "x", count: 100))",
    ]
    for (index, command) in commands.enumerated() {
      var image = Origin.Process(pid: UInt32(index))
      image.info = ["executable": "/usr/sbin/nginx", "command": command]
      profile.origin.processes.append(image)
    }
    let processes = profile.processes
    let long = "nginx: \(String(repeating: "x", count: 53))…"
    #expect(processes.map(\.name) == ["nginx: worker process", "nginx", "nginx", long])
    #expect(processes.allSatisfy { $0.programs == ["nginx"] })
    for (text, count) in [("process:worker", 1), ("process:/^nginx$/", 4), ("process:-g", 0)] {
      let pattern = try FramePattern(text)
      #expect(processes.count { pattern.matches($0) } == count, "\(text)")
    }
  }

  @Test func processesAreNamedByTheirPrograms() {
    var profile = Profile(valueTypes: [.samples])
    let images: [(UInt32, [String: String])] = [
      (7, ["executable": "/bin/sh", "command": "sh -c x"]), (9, [:]),
      (7, ["executable": "/srv/server", "command": "server -x"]),
      (7, ["executable": "/srv/server", "command": "server -y"]),
    ]
    for (pid, info) in images {
      var image = Origin.Process(pid: pid)
      image.info = info
      profile.origin.processes.append(image)
    }
    profile.threads = [
      (9, 9, "named"), (3, 4, "first"), (3, 3, "main"), (0, 5, "lone"), (0, 0, "swapper"),
    ].map { Profile.Thread(pid: $0.0, tid: $0.1, name: $0.2) }
    #expect(
      profile.processes.map(\.title)
        == ["sh → server (pid 7)", "named (pid 9)", "main (pid 3)", "swapper (pid 0)"])
    #expect(profile.processes.map(\.command) == ["server -y", nil, nil, nil])
    #expect(Profile(valueTypes: [.samples]).processes.isEmpty)
  }
}
