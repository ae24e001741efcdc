import CWickFormat
import Glibc
import Testing
import WickProfile

@testable import WickRecording

/// What is written, read back by the reader, which shares nothing with the writer but the header.
@Suite struct RecordingWriterTests {
  /// Collects what a writer gives away.
  final class Collector {
    var bytes: [UInt8] = []
    var largest = 0

    func append(_ part: RawSpan) {
      largest = max(largest, part.byteCount)
      for offset in 0..<part.byteCount { bytes.append(part.byte(at: offset)) }
    }
  }

  static func start(period: UInt32 = 1_000_000) -> RecordingWriter.Start {
    RecordingWriter.Start(
      pid: 4711, processStartTicks: 99, engine: .perfOutside, rateHertz: 1000,
      periodNanoseconds: period, isUserOnly: true, realtimeNanoseconds: 1_700_000_000_000_000_000,
      monotonicNanoseconds: 5_000_000_000)
  }

  static let modules = (0..<5).map { number in
    Module(
      path: "/usr/lib/lib\(number).so", buildID: (0..<20).map { UInt8($0 * number) },
      loadBias: 0x7f00_0000_0000 + UInt64(number) << 24, extent: 0x1000..<0x9_0000)
  }

  @Test func everythingIsReadBack() throws {
    let collector = Collector()
    var writer = try RecordingWriter(Self.start(), to: { collector.append($0) })
    try writer.add(info: [("command", "server --port 80"), ("agent", "1.0")])
    let module = try writer.define(Self.modules[1])
    let thread = try writer.define(thread: 12, name: "old")
    let frames = [
      RecordedFrame(module: module, address: 0x1234, kind: .instruction),
      RecordedFrame(module: nil, address: 0xdead_0000, kind: .returnAddress),
      RecordedFrame(module: module, address: 0x1000, kind: .asyncResume),
      RecordedFrame(module: module, address: 0x8000, kind: .interrupted),
      RecordedFrame(module: module, address: 0x8000, kind: .returnAddress),
    ]
    let stack = try #require(try writer.define(stack: frames))
    let cut = try #require(try writer.define(stack: frames[..<1], truncation: .badFrame))
    let none = try #require(try writer.define(stack: []))
    try writer.add(stack, of: thread, at: 1_000_000)
    try writer.add(cut, of: thread, at: 2_000_000, weight: 7)
    try writer.rename(thread, to: "worker")
    try writer.add(none, of: thread, at: 1_500_000)
    try writer.flush()
    try writer.add(statistics: [(.lostRingFull, 3), (.processCPUNanoseconds, 80_000_000)])
    try writer.end(.exited, at: 9_000_000)
    let totals = writer.totals

    let profile = try read(collector.bytes)
    #expect(profile.origin.warnings == [])
    #expect(profile.origin.rateHertz == 1000)
    #expect(profile.origin.periodNanoseconds == 1_000_000)
    #expect(profile.origin.startRealtimeNanoseconds == 1_700_000_000_000_000_000)
    #expect(profile.origin.durationNanoseconds == 9_000_000)
    let process = try #require(profile.origin.processes.first)
    #expect(process.pid == 4711 && process.isUserOnly && process.endReason == "exited")
    #expect(
      process.info == [
        "command": "server --port 80", "agent": "1.0",
        "engine": "perf task-clock from outside the process",
      ])
    #expect(
      process.statistics == [
        "samples": 3, "weight": 9, "truncated": 1, "threads": 1, "lostRingFull": 3,
        "processCPUNanoseconds": 80_000_000,
      ])
    #expect(totals.weight == 9 && totals.samples == 3)
    #expect(profile.modules == [Self.modules[1]])
    #expect(profile.threads == [Profile.Thread(pid: 4711, tid: 12, name: "worker")])
    #expect(profile.columns == [[1, 7, 1], [1_000_000, 7_000_000, 1_000_000]])
    #expect(profile.samples.map(\.nanoseconds) == [1_000_000, 2_000_000, 2_000_000])
    #expect(
      profile.path(of: 0) == [
        Frame(kind: .returnAddress, module: 0, address: 0x8000),
        Frame(kind: .interrupted, module: 0, address: 0x8000),
        Frame(kind: .asyncResume, module: 0, address: 0x1000),
        Frame(kind: .returnAddress, address: 0xdead_0000),
        Frame(kind: .instruction, module: 0, address: 0x1234),
      ])
    #expect(
      profile.path(of: 1) == [
        Frame(kind: .truncated, function: "[truncated: implausible frame]"),
        Frame(kind: .instruction, module: 0, address: 0x1234),
      ])
    #expect(profile.path(of: 2) == [])
  }

  /// A sample as it was given to the writer.
  private struct Given: Equatable {
    var thread: Int
    var path: [Frame]
    var weight: Int64
  }

  private func random(_ count: Int) throws -> (given: [Given], bytes: [UInt8], largest: Int) {
    let collector = Collector()
    var writer = try RecordingWriter(Self.start(), to: { collector.append($0) })
    var random = SplitMix(state: 20_261_121)
    var ids: [Int: RecordingWriter.ModuleID] = [:]
    var order: [Int] = []
    var threads: [RecordingWriter.ThreadID] = []
    var given: [Given] = []
    for row in 0..<count {
      if threads.isEmpty || (threads.count < 20 && random.below(1000) == 0) {
        threads.append(try writer.define(thread: UInt32(100 + threads.count), name: "t"))
      }
      var frames: [RecordedFrame] = []
      var path: [Frame] = []
      // Few addresses near the root and many at the leaf make a tree.
      for depth in 0..<1 + random.below(40) {
        let number = random.below(6)
        let address = UInt64(0x2000 + random.below(depth < 3 ? 1000 : 2) * 16)
        let kind: RecordedFrameKind = depth == 0 ? .instruction : .returnAddress
        if number < 5, ids[number] == nil {
          ids[number] = try writer.define(Self.modules[number])
          order.append(number)
        }
        frames.append(RecordedFrame(module: ids[number], address: address, kind: kind))
        path.append(
          Frame(
            kind: depth == 0 ? .instruction : .returnAddress,
            module: order.firstIndex(of: number), address: address))
      }
      let thread = random.below(threads.count)
      let weight = random.below(4) == 0 ? 1 + random.below(1000) : 1
      let stack = try #require(try writer.define(stack: frames))
      try writer.add(
        stack, of: threads[thread], at: UInt64(row) * 1_000_000, weight: UInt64(weight))
      given.append(Given(thread: thread, path: path.reversed(), weight: Int64(weight)))
      if random.below(500) == 0 { try writer.flush() }
    }
    try writer.flush()
    try writer.add(statistics: [])
    try writer.end(.stopped, at: UInt64(count) * 1_000_000)
    return (given, collector.bytes, collector.largest)
  }

  @Test func manyRandomStacksComeBackAsTheyWere() throws {
    let (given, bytes, largest) = try random(100_000)
    let profile = try read(bytes)
    #expect(profile.origin.warnings == [])
    #expect(profile.samples.count == given.count)
    var differing = 0
    for (row, sample) in given.enumerated() {
      let found = Given(
        thread: profile.samples[row].thread ?? -1, path: profile.path(of: row),
        weight: profile.columns[0][row])
      if found != sample { differing += 1 }
    }
    #expect(differing == 0)
    #expect(profile.total(of: 0) == given.reduce(0) { $0 + $1.weight })
    #expect(
      profile.origin.processes[0].statistics["weight"] == UInt64(profile.total(of: 0)))
    #expect(largest <= Int(WICK_CHUNK_BYTE_LIMIT) + 16)
  }

  @Test func everyPrefixIsReadable() throws {
    let (given, bytes, _) = try random(60)
    var known = 0
    for count in 64..<bytes.count {
      let profile = try read(Array(bytes.prefix(count)))
      #expect(profile.origin.isIncomplete && profile.origin.warnings.count == 1)
      #expect(profile.samples.count >= known)
      known = profile.samples.count
    }
    #expect(known == given.count)
  }

  @Test func knownStackCostsAFewBytes() throws {
    let collector = Collector()
    var writer = try RecordingWriter(Self.start(), to: { collector.append($0) })
    let thread = try writer.define(thread: 1, name: "t")
    let stacks = try (0..<50).map { leaf in
      try #require(
        try writer.define(
          stack: (0..<30).map { depth in
            RecordedFrame(
              module: nil, address: UInt64(depth == 0 ? leaf : 1000 + depth), kind: .returnAddress)
          }))
    }
    try writer.flush()
    let before = collector.bytes.count
    var random = SplitMix(state: 1)
    for row in 0..<10_000 {
      try writer.add(stacks[random.below(50)], of: thread, at: UInt64(row) * 1_000_000)
    }
    try writer.flush()
    #expect(collector.bytes.count - before < 10_000 * 5)
  }

  @Test func deepStacksAreCutAtTheRoot() throws {
    let collector = Collector()
    var writer = try RecordingWriter(Self.start(), to: { collector.append($0) })
    let thread = try writer.define(thread: 1, name: "t")
    let frames = (0..<600).map {
      RecordedFrame(module: nil, address: UInt64($0), kind: .returnAddress)
    }
    try writer.add(try #require(try writer.define(stack: frames)), of: thread, at: 0)
    try writer.end(.stopped, at: 1)
    let path = try read(collector.bytes).path(of: 0)
    #expect(path.count == 513)
    #expect(path.first?.function == "[truncated: too deep]")
    #expect(path.last?.address == 0)
  }

  @Test func fullTableRefusesNewStacksAndKeepsTheKnown() throws {
    let collector = Collector()
    var writer = try RecordingWriter(Self.start(), nodeLimit: 10, to: { collector.append($0) })
    let thread = try writer.define(thread: 1, name: "t")
    func frames(_ leaf: UInt64) -> [RecordedFrame] {
      [leaf, 1, 2, 3].map { RecordedFrame(module: nil, address: $0, kind: .instruction) }
    }
    var kept = 0
    for leaf in 100..<120 as Range<UInt64> {
      guard let stack = try writer.define(stack: frames(leaf)) else { continue }
      try writer.add(stack, of: thread, at: 0)
      kept += 1
    }
    #expect(kept == 7)
    let known = try #require(try writer.define(stack: frames(100)))
    try writer.add(known, of: thread, at: 0)
    try writer.end(.stopped, at: 1)
    let profile = try read(collector.bytes)
    #expect(profile.origin.warnings == [])
    #expect(profile.samples.count == 8)
    #expect(profile.path(of: 7).map(\.address) == [3, 2, 1, 100])
  }

  @Test func failureOfTheSinkIsTold() throws {
    let full = RecordingWriteError(code: 28)
    #expect(throws: full) {
      _ = try RecordingWriter(Self.start(), to: { _ throws(RecordingWriteError) in throw full })
    }
    #expect(full.endReason == .diskFull)
    #expect(RecordingWriteError(code: 5).endReason == .writeFailed)
  }

  @Test func fileHoldsWhatWasWritten() throws {
    let path = "/tmp/wick-writer-\(UInt64.random(in: 0 ... .max)).wick"
    defer { unlink(path) }
    let file = try RecordingFile(path: path)
    var writer = try RecordingWriter(
      Self.start(), to: { bytes throws(RecordingWriteError) in try file.append(bytes) })
    try writer.end(.stopped, at: 1)
    let mapped = try MappedFile(path: path)
    #expect(try Recording.profile(of: mapped.bytes).origin.processes[0].endReason == "stopped")
    #expect(throws: RecordingWriteError(code: 20)) { try RecordingFile(path: path + "/x") }
  }

  /// A device that is always full.
  @Test func fullDeviceIsAnError() throws {
    let file = try RecordingFile(path: "/dev/full")
    #expect(throws: RecordingWriteError(code: 28)) {
      _ = try RecordingWriter(
        Self.start(), to: { bytes throws(RecordingWriteError) in try file.append(bytes) })
    }
  }
}
