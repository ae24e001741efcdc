import Testing
import WickProfile

extension Profile {
  /// Adds a row whose frames are named, root first.
  mutating func add(_ names: String..., value: Int64) {
    var node = 0
    for name in names { node = stack(parent: node, frame: intern(Frame(function: name))) }
    add(Sample(stack: node), values: [value])
  }

  /// The names of each row's stack, root first.
  var paths: [[String]] {
    samples.map { stacks.framesLeafFirst(of: $0.stack).reversed().map { frames[$0].function } }
  }
}

@Suite struct ProfileTests {
  @Test func keepsEachFrameOnce() {
    var profile = Profile(valueTypes: [.samples])
    let frame = Frame(kind: .instruction, module: nil, address: 5, function: "f")
    #expect(profile.intern(frame) == 0)
    #expect(profile.intern(Frame(kind: .returnAddress, address: 5, function: "f")) == 1)
    #expect(profile.intern(frame) == 0)
    #expect(profile.frames.count == 2)
  }

  @Test func sampleKeepsItsFields() {
    var sample = Profile.Sample(stack: 3, nanoseconds: .max)
    #expect((sample.stack, sample.thread == nil, sample.nanoseconds) == (3, true, .max))
    sample.thread = 0
    sample.stack = Int(Int32.max)
    #expect(sample == Profile.Sample(stack: Int(Int32.max), thread: 0, nanoseconds: .max))
  }

  @Test func addsRowsSinglyAndTogether() {
    var profile = Profile(valueTypes: [.samples, .cpu])
    let rows = (0..<3).map { Profile.Sample(stack: 0, nanoseconds: UInt64($0)) }
    profile.add(rows, columns: [[1, 2, 3], [10, 20, 30]])
    profile.add(rows[0], values: [4, 40])
    profile.add(Array(rows[1...]), columns: [[5, 6], [50, 60]])
    #expect(profile.samples.map(\.nanoseconds) == [0, 1, 2, 0, 1, 2])
    #expect(profile.columns == [[1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]])
    #expect(profile.total(of: 1) == 210)
  }

  @Test func lookupAddressLiesInsideTheCall() {
    #expect(Frame(kind: .returnAddress, address: 0x10).lookupAddress == 0xf)
    #expect(Frame(kind: .instruction, address: 0x10).lookupAddress == 0x10)
    #expect(Frame(kind: .asyncResume, address: 0x10).lookupAddress == 0x10)
    #expect(Frame(kind: .interrupted, address: 0x10).lookupAddress == 0x10)
    #expect(Frame(kind: .truncated, address: 1).lookupAddress == nil)
    #expect(Frame(kind: .returnAddress, address: 0).lookupAddress == .max)
  }

  @Test func replacesFramesByChains() {
    var profile = Profile(valueTypes: [.samples])
    profile.origin.warnings = ["kept"]
    profile.add("main", "inlined", "leaf", value: 1)
    profile.add("main", "leaf", value: 2)
    profile.add("gone", "main", "gone", "leaf", value: 4)
    profile.add("gone", value: 8)
    var asked: [String] = []
    let result = profile.replacingFrames { frame in
      asked.append(frame.function)
      switch frame.function {
      case "inlined": return [Frame(function: "outer"), Frame(function: "inner")]
      case "gone": return []
      default: return [frame]
      }
    }
    #expect(asked == ["main", "inlined", "leaf", "gone"])
    #expect(
      result.paths == [
        ["main", "outer", "inner", "leaf"], ["main", "leaf"], ["main", "leaf"], [],
      ])
    #expect(result.columns == profile.columns)
    #expect(result.samples[1].stack == result.samples[2].stack)
    #expect(result.samples[3].stack == 0)
    #expect(result.stacks.count == 6)
    #expect(result.origin == profile.origin)
  }

  @Test func replacesFramesOfVeryDeepStacks() {
    var profile = Profile(valueTypes: [.samples])
    let frame = profile.intern(Frame(function: "f"))
    let node = (0..<100_000).reduce(0) { parent, _ in profile.stack(parent: parent, frame: frame) }
    profile.add(Profile.Sample(stack: node), values: [1])
    let result = profile.replacingFrames { [$0, $0] }
    #expect(result.stacks.framesLeafFirst(of: result.samples[0].stack).count == 200_000)
  }

  @Test func totalsSaturate() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("a", value: .max)
    profile.add("a", value: 1)
    #expect(profile.total(of: 0) == .max)
    #expect(Int64.min.addingSaturating(-1) == .min)
    #expect(Int64.max.addingSaturating(.max) == .max)
    #expect(Int64(2).addingSaturating(-3) == -1)
  }

  @Test func originSumsStatistics() {
    var origin = Origin()
    for value in [UInt64.max, 5] {
      var process = Origin.Process(pid: 1)
      process.statistics["samples"] = value
      origin.processes.append(process)
    }
    #expect(origin.statistic("samples") == .max)
    #expect(origin.statistic("other") == 0)
  }

  @Test(
    arguments: [
      (["executable": "/usr/bin/server", "command": "x"], "server"),
      (["command": "/opt/redis-server *:6379"], "redis-server"), (["command": "run"], "run"),
      (["command": ""], nil), ([:], nil),
    ] as [([String: String], String?)])
  func processHasAName(info: [String: String], name: String?) {
    var process = Origin.Process(pid: 1)
    process.info = info
    #expect(process.name.map(String.init) == name)
  }
}
