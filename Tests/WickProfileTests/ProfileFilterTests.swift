import Testing
import WickProfile

@Suite struct ProfileFilterTests {
  /// Stacks of few functions, recursions among them, in two modules, two processes and three threads.
  static func random(seed: UInt64) -> Profile {
    var state = seed
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var profile = Profile(valueTypes: [.samples, .cpu])
    profile.modules = ["/bin/server", "/lib/libc.so.6"].map {
      Module(path: $0, buildID: [], loadBias: 0, extent: 0..<1)
    }
    profile.threads = [(7, 7, "main"), (7, 8, "worker-1"), (9, 9, "helper")].map {
      Profile.Thread(pid: $0.0, tid: $0.1, name: $0.2)
    }
    for (pid, executable) in [(7, "/bin/sh"), (7, "/bin/server"), (9, "/bin/helper")] {
      var image = Origin.Process(pid: UInt32(pid))
      image.info["executable"] = executable
      profile.origin.processes.append(image)
    }
    for _ in 0..<200 {
      var node = 0
      for _ in 0..<next(8) {
        let name = next(6)
        let frame = Frame(module: name % 2, function: "f\(name)", line: UInt32(next(2)))
        node = profile.stack(parent: node, frame: profile.intern(frame))
      }
      let value = Int64(next(100))
      let thread = next(4)
      profile.add(
        Profile.Sample(stack: node, thread: thread < 3 ? thread : nil),
        values: [value, value * 10])
    }
    return profile
  }

  static let patterns = [
    "f1", "f", "/^f[23]$/", "/F4/i", "module:libc", "module:/^server/", "thread:worker", "thread:7",
    "thread:/^(main|8)$/", "process:sh", "process:9", "process:/^(server|8)$/", "nothing",
  ]

  private func filtered(
    _ profile: Profile, focus: [String] = [], ignore: [String] = [], hide: [String] = []
  ) throws -> Profile {
    profile.filtered(
      by: ProfileFilter(
        focus: try focus.map { try FramePattern($0) },
        ignore: try ignore.map { try FramePattern($0) },
        hide: try hide.map { try FramePattern($0) }))
  }

  @Test(arguments: patterns) func focusAndIgnorePartitionTheTotal(pattern: String) throws {
    for seed in 1...10 as ClosedRange<UInt64> {
      let profile = Self.random(seed: seed)
      let (with, without) = (
        try filtered(profile, focus: [pattern]), try filtered(profile, ignore: [pattern])
      )
      for column in 0..<2 {
        #expect(
          with.total(of: column) + without.total(of: column) == profile.total(of: column))
      }
      #expect(with.samples.count + without.samples.count == profile.samples.count)
      #expect(try filtered(with, focus: [pattern]).samples.count == with.samples.count)
      #expect(try filtered(with, ignore: [pattern]).samples.isEmpty)
    }
  }

  @Test(arguments: patterns) func focusIsTheTotalOfWhatMatches(text: String) throws {
    let pattern = try FramePattern(text)
    guard pattern.subject.isOfFrames else { return }
    let profile = Self.random(seed: 3)
    let all = profile.filtered(by: ProfileFilter(focus: [pattern]))
    #expect(profile.callers(of: pattern).total(of: 0) == all.total(of: 0))
    #expect(profile.callees(of: pattern).total(of: 0) == all.total(of: 0))
    let rows = FunctionTable(CallTree(profile)).rows.filter { pattern.matches($0.function) }
    if rows.count == 1 { #expect(rows[0].totalValue == all.total(of: 0)) }
  }

  @Test(arguments: patterns) func hidingKeepsTheTotalAndTheRows(text: String) throws {
    let pattern = try FramePattern(text)
    for seed in 1...10 as ClosedRange<UInt64> {
      let profile = Self.random(seed: seed)
      let rest = profile.filtered(by: ProfileFilter(hide: [pattern]))
      #expect(rest.columns == profile.columns)
      #expect(rest.samples.map(\.thread) == profile.samples.map(\.thread))
      let functions = CallTree(rest).functions
      #expect(!functions.contains { pattern.matches($0) })
      // Others were neither added to nor taken from but by what they call directly.
      let before = FunctionTable(CallTree(profile)).rows
      for row in FunctionTable(CallTree(rest)).rows {
        let old = try #require(before.first { $0.function == row.function })
        #expect(row.totalValue == old.totalValue)
        #expect(row.selfValue >= old.selfValue)
      }
    }
  }

  @Test func onlyWhatIsUsedIsLeft() throws {
    var profile = Profile(valueTypes: [.samples])
    profile.add("main", "a", "b", value: 1)
    profile.add("main", "c", value: 2)
    let rest = try filtered(profile, ignore: ["b"], hide: ["main"])
    #expect(rest.frames.map(\.function) == ["c"])
    #expect(rest.stacks.count == 2)
    #expect(rest.paths == [["c"]])
  }

  @Test func eachFocusNarrows() throws {
    var profile = Profile(valueTypes: [.samples])
    profile.threads = [Profile.Thread(pid: 1, tid: 2, name: "worker")]
    profile.add("a", "b", value: 1)
    profile.add("a", value: 2)
    profile.add("b", "c", value: 4)
    #expect(try filtered(profile, focus: ["a", "b"]).total(of: 0) == 1)
    #expect(try filtered(profile, focus: ["b"], ignore: ["a", "x"]).total(of: 0) == 4)
    #expect(try filtered(profile, focus: ["b", "thread:worker"]).samples.isEmpty)
    // What is hidden still says which stacks count.
    let rest = try filtered(profile, focus: ["b"], hide: ["b"])
    #expect(rest.paths == [["a"], ["c"]])
  }

  @Test func hiddenLeavesGoToTheirCaller() throws {
    var profile = Profile(valueTypes: [.samples])
    profile.add("main", "x", "f", "x", value: 1)
    profile.add("x", value: 2)
    profile.add("main", value: 4)
    let rest = try filtered(profile, hide: ["x"])
    #expect(rest.paths == [["main", "f"], [], ["main"]])
    #expect(CallTreeTests.rows(CallTree(rest)) == ["root 0 2 7", "main 1 4 5", "f 2 1 1"])
  }

  @Test func excerptSaysWhatItIsOf() throws {
    let profile = Self.random(seed: 1)
    #expect(profile.origin.excerpt == nil)
    #expect(try filtered(profile).origin.excerpt == nil)
    let once = try filtered(profile, focus: ["f1"], ignore: ["nope", "thread:nobody"])
    let twice = try filtered(once, ignore: ["f2"], hide: ["f3", "zzz"])
    let excerpt = try #require(twice.origin.excerpt)
    #expect(excerpt.focus == ["f1"])
    #expect(excerpt.ignore == ["nope", "thread:nobody", "f2"])
    #expect(excerpt.hide == ["f3", "zzz"])
    #expect(excerpt.unmatched == ["nope", "thread:nobody", "zzz"])
    #expect(excerpt.totals == [profile.total(of: 0), profile.total(of: 1)])
    // What was recorded and lost is a matter of the whole.
    #expect(SampleAccounting(twice) == SampleAccounting(profile))
  }

  @Test func totalsSaturate() throws {
    var profile = Profile(valueTypes: [.samples])
    profile.add("a", value: .max)
    profile.add("a", "b", value: .max)
    let part = try filtered(profile, focus: ["a"])
    #expect(part.total(of: 0) == .max)
    #expect(part.origin.excerpt?.totals == [.max])
  }
}
