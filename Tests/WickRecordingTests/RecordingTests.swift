import Testing
import WickProfile
import WickRecording

@Suite struct RecordingTests {
  @Test func readsEveryKindOfChunkAndRecord() throws {
    let profile = try read(smallRecording())
    #expect(profile.valueTypes == [.samples, .cpu])
    #expect(profile.columns[0] == [1, 3, 1, 1, 1])
    #expect(profile.columns[1] == [1, 3, 1, 1, 1].map { $0 * 10_000_000 })
    #expect(
      profile.samples.map(\.nanoseconds) == [1500, 2000, 100, 1000, 3000].map { $0 * 156_250 })
    #expect(profile.samples.map(\.thread) == [0, 0, 1, 1, 0])
    #expect(
      profile.threads == [
        Profile.Thread(pid: 4711, tid: 4711, name: "main"),
        Profile.Thread(pid: 4711, tid: 4712, name: "worker"),
      ])
    #expect(
      profile.modules == [
        Module(
          path: "/usr/bin/server", buildID: [0xde, 0xad], loadBias: 0x5555_0000_0000,
          extent: 0x1000..<0x9000),
        Module(path: "[vdso]", buildID: [], loadBias: 0x7fff_0000_0000, extent: 0..<0x1000),
      ])
    let caller = Frame(kind: .returnAddress, module: 0, address: 0x2000)
    let leaf = Frame(kind: .instruction, module: 0, address: 0x1800)
    let resume = Frame(kind: .asyncResume, module: 1, address: 0x10)
    let cut = Frame(kind: .truncated, function: "[truncated: too deep]")
    #expect(profile.path(of: 0) == [caller, leaf])
    #expect(profile.path(of: 1) == [caller])
    #expect(profile.path(of: 2) == [cut])
    #expect(profile.path(of: 3) == [caller, leaf, resume])
    #expect(profile.path(of: 4) == [])
    #expect(profile.frames.contains(Frame(kind: .instruction, address: 0x1000)))
  }

  @Test func readsFramesThatASignalInterrupted() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.modules([(0x1000, 0..<0x9000, [1], "/bin/server")])
    encoder.threads([(0, 9, "main")])
    encoder.samples([
      Encoder.thread(0), Encoder.frame(module: 1, kind: 4, delta: 0x20),
      Encoder.frame(module: 1, kind: 0, delta: 0x10), Encoder.sample(after: 1),
    ])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(
      profile.path(of: 0) == [
        Frame(kind: .interrupted, module: 0, address: 0x20),
        Frame(kind: .instruction, module: 0, address: 0x30),
      ])
    #expect(profile.origin.warnings == [])
  }

  @Test func latestListOfBlockedThreadsCounts() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.chunk(7, Encoder.varint(9) + Encoder.varint(1) + Encoder.string("early"))
    encoder.chunk(
      7,
      Encoder.varint(11) + Encoder.varint(5_000_000) + Encoder.string("deaf")
        + Encoder.varint(12) + Encoder.varint(0) + Encoder.string("idle"))
    encoder.end()
    let process = try #require(try read(encoder.bytes).origin.processes.first)
    #expect(
      process.blockedThreads == [
        Origin.BlockedThread(tid: 11, name: "deaf", cpuNanoseconds: 5_000_000),
        Origin.BlockedThread(tid: 12, name: "idle", cpuNanoseconds: 0),
      ])
  }

  @Test(arguments: [5, 6, 7] as [UInt64]) func frameOfNoKnownKindIsDamage(kind: UInt64) throws {
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 9, "main")])
    encoder.samples([
      Encoder.thread(0), Encoder.frame(module: 0, kind: kind, delta: 0x20),
      Encoder.sample(after: 1),
    ])
    let profile = try read(encoder.bytes)
    #expect(profile.samples.isEmpty)
    #expect(profile.origin.warnings.contains { $0.contains("a frame is of no known kind") })
  }

  @Test func keepsTheOrigin() throws {
    let origin = try read(smallRecording()).origin
    #expect(origin.rateHertz == 100)
    #expect(origin.periodNanoseconds == 10_000_000)
    #expect(origin.startRealtimeNanoseconds == 1_700_000_000_000_000_000)
    #expect(origin.durationNanoseconds == 2_000_000_000)
    #expect(origin.warnings == [])
    #expect(!origin.isIncomplete)
    let process = try #require(origin.processes.first)
    #expect(origin.processes.count == 1)
    #expect(process.pid == 4711)
    #expect(process.endReason == "stopped")
    #expect(
      process.info == [
        "engine": "perf task-clock with SIGTRAP", "command": "server --port 80", "agent": "1.0",
      ])
    #expect(
      process.statistics == [
        "samples": 5, "weight": 7, "lostRingFull": 11, "processCPUNanoseconds": 80_000_000,
        "agentCPUNanoseconds": 1_000_000, "statistic77": 8,
      ])
  }

  @Test func mergesSegments() throws {
    var encoder = Encoder()
    smallSegment(into: &encoder)
    var second = Encoder.Header()
    second.monotonic += 10_000_000_000
    second.pid = 5000
    second.period = 1_000_000
    second.byteCount = 80  // a longer header is skipped
    second.flags = 1
    smallSegment(second, into: &encoder)
    let profile = try read(encoder.bytes)
    #expect(profile.origin.warnings == [])
    #expect(profile.origin.processes.map(\.pid) == [4711, 5000])
    #expect(profile.origin.processes.map(\.isUserOnly) == [false, true])
    #expect(profile.origin.statistic("weight") == 14)
    #expect(profile.origin.durationNanoseconds == 12_000_000_000)
    #expect(profile.samples.count == 10)
    #expect(profile.samples[5].nanoseconds == 10_000_000_000 + 1500 * 15_625)
    #expect(profile.samples[5].thread == 2)
    #expect(profile.threads[2].pid == 5000)
    #expect(profile.columns[1][6] == 3_000_000)
    // The same modules at the same place: the same frames and stacks.
    #expect(profile.modules.count == 2)
    #expect(profile.samples[5].stack == profile.samples[0].stack)
  }

  @Test func keepsModulesOfSegmentsApart() throws {
    var encoder = Encoder()
    for (pid, bias) in [(UInt32(1), UInt64(0x1000)), (2, 0x2000)] {
      var header = Encoder.Header()
      header.pid = pid
      encoder.header(header)
      encoder.modules([(bias, 0..<0x100, [1], "/bin/program")])
      encoder.threads([(0, UInt64(pid), "main")])
      encoder.samples([
        Encoder.frame(module: 1, kind: 0, delta: 0x40), Encoder.thread(0),
        Encoder.sample(after: 0),
      ])
      encoder.end()
    }
    let profile = try read(encoder.bytes)
    #expect(profile.modules.map(\.loadBias) == [0x1000, 0x2000])
    #expect(profile.path(of: 0).map(\.module) == [0])
    #expect(profile.path(of: 1).map(\.module) == [1])
    #expect(profile.path(of: 1).map(\.address) == [0x40])
  }

  @Test func skipsUnknownChunks() throws {
    var encoder = Encoder()
    smallSegment(into: &encoder, isEnded: false)
    encoder.chunk(4242, [1, 2, 3])
    encoder.chunk(0, [])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(profile.origin.warnings == [])
    #expect(profile.samples.count == 5)
  }

  @Test func durationWithoutEndIsTheLatestSample() throws {
    var encoder = Encoder()
    smallSegment(into: &encoder, isEnded: false)
    let origin = try read(encoder.bytes).origin
    #expect(origin.durationNanoseconds == 3000 * 156_250)
    #expect(origin.isIncomplete)
    #expect(
      origin.warnings == [
        "The recording of process 4711 was cut short at byte \(encoder.bytes.count): "
          + "it has no end mark, and its later samples are missing."
      ])
  }

  @Test func namesTruncations() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "t")])
    // Reasons 1, 2, 3, 4, 5 as differences.
    encoder.samples((1...5).map { _ in Encoder.frame(module: 0, kind: 3, delta: 1) })
    encoder.end()
    #expect(
      try read(encoder.bytes).frames.map(\.function) == [
        "[truncated: too deep]", "[truncated: unreadable stack]",
        "[truncated: implausible frame]", "[truncated: no unwind rule]", "[truncated]",
      ])
  }

  @Test(arguments: [
    (1, "stopped", false), (2, "exited", false), (3, "diskFull", true), (4, "writeFailed", true),
    (5, "duration", false), (6, "exec", false), (7, "killed", false), (99, "reason99", false),
  ])
  func namesEndReasons(code: UInt64, name: String, isIncomplete: Bool) throws {
    var encoder = Encoder()
    encoder.header()
    encoder.end(code)
    let origin = try read(encoder.bytes).origin
    #expect(origin.processes.map(\.endReason) == [name])
    #expect(origin.isIncomplete == isIncomplete)
    #expect(origin.warnings.count == (isIncomplete ? 1 : 0))
  }

  @Test func readsStacksOfAnyDepth() throws {
    let depth = 100_000
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "t")])
    encoder.samples(
      [Encoder.frame(module: 0, kind: 1, delta: 64)]
        + (1..<depth).map { _ in Encoder.node(frameBack: 0) }
        + [Encoder.thread(0), Encoder.sample(after: 1)])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(profile.origin.warnings == [])
    #expect(profile.path(of: 0).count == depth)
  }

  @Test func saturatesWeightsAndTimes() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "t")])
    encoder.samples([
      Encoder.thread(0), Encoder.sample(after: 1 << 60, weight: .max),
      Encoder.sample(after: 1 << 60, weight: 1 << 62),
    ])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(profile.columns == [[.max, 1 << 62], [.max, .max]])
    #expect(profile.samples.map(\.nanoseconds) == [.max, .max])
  }
}
