import Foundation
import Testing
import WickProfile
import WickRecording

@Suite struct AllocationTests {
  private func profile(
    interval: UInt64 = 1, hasList: Bool = true
  ) throws -> Profile {
    var encoder = Encoder()
    allocationSegment(into: &encoder, interval: interval, hasList: hasList)
    return try read(encoder.bytes)
  }

  /// The values of all rows of a stack's depth (without its type) by the name of the type.
  private func values(
    _ type: ValueType, in profile: Profile, depth: Int
  ) throws -> [String?: Int64] {
    let column = try #require(profile.valueTypes.firstIndex(of: type))
    var sums: [String?: Int64] = [:]
    for (row, sample) in profile.samples.enumerated() {
      let path = profile.path(of: row)
      let leaf = path.last.flatMap { $0.kind == .objectType ? $0.function : nil }
      guard path.count - (leaf == nil ? 0 : 1) == depth, profile.columns[column][row] != 0 else {
        continue
      }
      #expect(sample.thread == 0)
      sums[leaf, default: 0] += profile.columns[column][row]
    }
    return sums
  }

  @Test func columnsStandBehindThoseOfSamples() throws {
    let profile = try profile()
    #expect(
      profile.valueTypes.map(\.name) == [
        "samples", "cpu", "alloc_objects", "alloc_space", "inuse_objects", "inuse_space",
        "peak_objects", "peak", "temporary", "lifetime", "followed", "followed_inuse",
      ])
    #expect(
      profile.valueTypes.indices.map { profile.total(of: $0) }
        == [1, 10_000_000, 17, 1600, 7, 650, 14, 1300, 2, 550, 17, 7])
    // No row counts both.
    for row in profile.samples.indices where profile.columns[0][row] != 0 {
      #expect(profile.columns.dropFirst(2).allSatisfy { $0[row] == 0 })
    }
    #expect(!profile.origin.isIncomplete)
  }

  @Test func recordingWithoutAllocationsHasNoColumnsOfThem() throws {
    let profile = try read(smallRecording())
    #expect(profile.valueTypes == [.samples, .cpu])
    #expect(profile.origin.processes[0].heap == nil)
    #expect(SampleAccounting(profile).allocations == nil)
  }

  @Test func typesOfAllocationsAreThoseOfFreesAndOfTheList() throws {
    let profile = try profile()
    #expect(
      try values(.allocatedObjects, in: profile, depth: 1)
        == ["app.Node": 9, "_ZTSN3app4BaseE": 5, nil: 1])
    #expect(
      try values(.allocatedSpace, in: profile, depth: 1)
        == ["app.Node": 900, "_ZTSN3app4BaseE": 500, nil: 100])
    #expect(
      try values(.liveSpace, in: profile, depth: 1)
        == ["app.Node": 300, "_ZTSN3app4BaseE": 200, nil: 100])
    // A type without a name is none.
    #expect(try values(.allocatedSpace, in: profile, depth: 2) == [nil: 100])
    #expect(try values(.liveObjects, in: profile, depth: 2) == [nil: 1])
    #expect(try values(.temporary, in: profile, depth: 1) == ["app.Node": 2])
    #expect(
      try values(.lifetime, in: profile, depth: 1) == ["app.Node": 460, "_ZTSN3app4BaseE": 90])
  }

  @Test func peakIsWhatWasLiveAtTheLatestMark() throws {
    let profile = try profile()
    let first = try values(.peakSpace, in: profile, depth: 1)
    #expect(first.values.reduce(0, +) == 1200)
    #expect(first["app.Node"] ?? 0 > first["_ZTSN3app4BaseE"] ?? 0)
    #expect(try values(.peakSpace, in: profile, depth: 2) == [nil: 100])
    #expect(try values(.peakObjects, in: profile, depth: 2) == [nil: 2])
  }

  @Test func newMarkForgetsWhatCameAfterTheOldOne() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "main")])
    encoder.samples([Encoder.thread(0), Encoder.frame(module: 0, kind: 0, delta: 64)])
    encoder.allocations(
      milliseconds: 1, isNewMark: true, [Encoder.allocated(1, 0, (5, 5, 50))])
    // Rows of a key add up; the allocation after the mark was larger by 10 than was thought first.
    for (bytes, after) in [(UInt64(10), (Int64(1), Int64(0))), (0, (0, 10))] {
      encoder.allocations(
        milliseconds: 2,
        [Encoder.allocated(1, 0, (bytes / 10, bytes / 10, bytes), after: after)])
    }
    let before = encoder
    encoder.allocations(milliseconds: 3, isNewMark: true, [])
    for (encoder, peak) in [(before, Int64(50)), (encoder, 60)] {
      var encoder = encoder
      encoder.end()
      let profile = try read(encoder.bytes)
      let column = try #require(profile.valueTypes.firstIndex(of: .peakSpace))
      #expect(profile.total(of: column) == peak)
    }
  }

  @Test func listedObjectsAreRowsWithTheTimeOfTheirAllocation() throws {
    let profile = try profile()
    let live = try #require(profile.valueTypes.firstIndex(of: .liveSpace))
    let rows = profile.samples.indices.filter { profile.columns[live][$0] != 0 }
    #expect(
      rows.map { profile.samples[$0].nanoseconds / 1_000_000 } == [500, 2900, 900, 1000, 2000])
    #expect(rows.map { profile.columns[live][$0] } == [200, 100, 200, 100, 50])
    #expect(profile.origin.processes[0].heap?.listNanoseconds == 4_000_000_000)
  }

  @Test func withoutListTheLiveAreAllocatedLessFreed() throws {
    let profile = try profile(hasList: false)
    #expect(
      try values(.allocatedSpace, in: profile, depth: 1)
        == ["app.Node": 600, "_ZTSN3app4BaseE": 300, nil: 600])
    #expect(try values(.liveSpace, in: profile, depth: 1) == [nil: 600])
    #expect(profile.origin.processes[0].heap?.listNanoseconds == nil)
    #expect(profile.samples.allSatisfy { $0.nanoseconds == 0 || $0.stack == 1 })
  }

  /// What is rounded in a list does not change sums, and what a stale list lacks is of no type.
  @Test func listIsHeldToTheSums() throws {
    for (listed, expected) in [
      ([[1, 0, 1, 1, 1, 101, 1000]], [Optional("T"): Int64(100)]),
      ([[1, 0, 1, 1, 1, 99, 990]], ["T": 100]),
      ([[1, 0, 1, 1, 1, 40, 400]], ["T": 40, nil: 60]),
      ([[1, 0, 1, 1, 1, 0, 0]], [nil: 100]),
    ] as [([[UInt64]], [String?: Int64])] {
      var encoder = Encoder()
      encoder.header()
      encoder.threads([(0, 1, "main")])
      encoder.samples([Encoder.thread(0), Encoder.frame(module: 0, kind: 0, delta: 64)])
      encoder.types([(1, 1, "T")])
      encoder.allocations(
        milliseconds: 1, interval: 512,
        [Encoder.allocated(1, 0, (3, 120, 1200)), Encoder.freed(1, 0, (1, 20, 200))])
      encoder.live(milliseconds: 2, listed)
      encoder.end()
      let profile = try read(encoder.bytes)
      #expect(try values(.liveObjects, in: profile, depth: 1) == expected)
      #expect(try values(.allocatedObjects, in: profile, depth: 1).values.reduce(0, +) == 120)
    }
  }

  @Test func seriesHasAPointForEachChunk() throws {
    var encoder = Encoder()
    allocationSegment(into: &encoder, interval: 524_288)
    allocationSegment(Encoder.Header(monotonic: 6_000_000_000, pid: 4712), into: &encoder)
    let profile = try read(encoder.bytes)
    let heaps = profile.origin.processes.compactMap(\.heap)
    #expect(heaps.map(\.intervals) == [[524_288], [1]])
    #expect(heaps[0].points.map(\.nanoseconds) == [1_000_000_000, 2_000_000_000, 3_000_000_000])
    // The second process began a second later.
    #expect(heaps[1].points.map(\.nanoseconds) == [2_000_000_000, 3_000_000_000, 4_000_000_000])
    for heap in heaps {
      #expect(heap.points.map(\.bytes) == [1000, 1300, 650])
      #expect(heap.points.map(\.objects) == [10, 14, 7])
    }
    #expect(
      profile.valueTypes.indices.dropFirst(2).map { profile.total(of: $0) }
        == [34, 3200, 14, 1300, 28, 2600, 4, 1100, 34, 14])
  }

  @Test func referencesAreColumnsOnlyWhereThereAreSome() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "main")])
    encoder.samples([Encoder.thread(0), Encoder.frame(module: 0, kind: 0, delta: 64)])
    encoder.types([(9, 1, "app.Node")])
    encoder.allocations(
      milliseconds: 1,
      [
        Encoder.references(1, 0, type: 9, areTaken: true, 7),
        Encoder.references(1, 0, type: 9, areTaken: false, 5),
      ])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(profile.valueTypes.suffix(2) == [.retains, .releases])
    #expect(try values(.retains, in: profile, depth: 1) == ["app.Node": 7])
    #expect(try values(.releases, in: profile, depth: 1) == ["app.Node": 5])
  }

  @Test func accountsTellWhatWasFollowedAndMissed() throws {
    let accounting = SampleAccounting(try profile(interval: 512 << 10))
    #expect(accounting.samples == 1)
    #expect(accounting.weight == 1)
    let allocations = try #require(accounting.allocations)
    #expect(allocations.isSampled)
    #expect(allocations.intervals == [512 << 10])
    #expect(allocations.lostAllocations == 3)
    #expect(allocations.lostFrees == 2)
    #expect(allocations.unknownFrees == 10)
    #expect(allocations.agentBytes == 4096)
    #expect(allocations.peakBytes == 1300)
    #expect(allocations.freedObjects == 10)
    #expect(allocations.total(.allocatedSpace) == 1600)
  }

  // MARK: Damage

  static let damaged: [(String, @Sendable (inout Encoder) -> Void)] = [
    (
      "a stack is not defined",
      { $0.allocations(milliseconds: 1, [Encoder.allocated(9, 0, (1, 1, 1))]) }
    ),
    (
      "a thread is not defined",
      { $0.allocations(milliseconds: 1, [Encoder.allocated(1, 9, (1, 1, 1))]) }
    ),
    ("a stack is not defined", { $0.live(milliseconds: 1, [[9, 0, 0, 0, 1, 1, 1]]) }),
    ("a thread is not defined", { $0.live(milliseconds: 1, [[1, 9, 0, 0, 1, 1, 1]]) }),
    ("a number is not whole", { $0.live(milliseconds: 1, [[1, 0, 0, 0, 1, 1]]) }),
    ("a type id is too large", { $0.live(milliseconds: 1, [[1, 0, 1 << 40, 0, 1, 1, 1]]) }),
    ("a type has the id of none", { $0.types([(0, 1, "x")]) }),
    ("a string is not whole", { $0.chunk(10, [1, 1, 200]) }),
    ("neither new nor old", { $0.chunk(8, [1, 2, 1]) }),
    ("a number is not whole", { $0.chunk(8, [1]) }),
    ("a number is not whole", { $0.chunk(8, [1, 0, 1, 4, 0, 1]) }),
  ]

  @Test(arguments: damaged.indices) func damageEndsWhatIsRead(index: Int) throws {
    let (reason, damage) = Self.damaged[index]
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "main")])
    encoder.samples([Encoder.thread(0), Encoder.frame(module: 0, kind: 0, delta: 64)])
    encoder.allocations(milliseconds: 1, [Encoder.allocated(1, 0, (2, 2, 20))])
    damage(&encoder)
    encoder.allocations(milliseconds: 3, [Encoder.allocated(1, 0, (5, 5, 50))])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(profile.origin.isIncomplete)
    #expect(profile.origin.warnings.count == 1)
    #expect(profile.origin.warnings[0].contains(reason), "\(profile.origin.warnings)")
    let column = try #require(profile.valueTypes.firstIndex(of: .allocatedSpace))
    #expect(profile.total(of: column) == 20)
  }

  @Test func readsEveryPrefix() throws {
    var encoder = Encoder()
    allocationSegment(into: &encoder)
    var known: Int64 = 0
    for count in 64..<encoder.bytes.count {
      let profile = try read(Array(encoder.bytes.prefix(count)))
      #expect(profile.origin.isIncomplete)
      guard let column = profile.valueTypes.firstIndex(of: .allocatedSpace) else { continue }
      #expect(profile.total(of: column) >= known)
      known = profile.total(of: column)
    }
    #expect(known == 1600)
  }

  /// Numbers at the ends of their range, in all places at once, trap nowhere.
  @Test func hugeNumbersStayAtTheLargestValue() throws {
    let huge = UInt64.max
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "main")])
    encoder.samples([Encoder.thread(0), Encoder.frame(module: 0, kind: 0, delta: 64)])
    encoder.types([(1, 1, "T"), (UInt64(UInt32.max), 3, "huge")])
    for milliseconds in [UInt64(0), huge, huge] {
      encoder.allocations(
        milliseconds: milliseconds, isNewMark: milliseconds == 0, interval: huge,
        [
          Encoder.allocated(1, 0, (huge, huge, huge), after: (.max, .min)),
          Encoder.freed(
            1, 0, type: 1, (huge, huge - 1, 3), after: (.max, .min), temporary: huge,
            lifetime: huge),
          Encoder.references(1, 0, type: 1, areTaken: true, huge),
        ])
    }
    encoder.live(
      milliseconds: huge,
      [[1, 0, 1, huge, huge, huge, huge], [1, 0, UInt64(UInt32.max), 0, 1, huge, huge]])
    encoder.end(nanoseconds: huge)
    let profile = try read(encoder.bytes)
    #expect(profile.columns.allSatisfy { $0.allSatisfy { $0 >= 0 } })
    let column = try #require(profile.valueTypes.firstIndex(of: .allocatedSpace))
    #expect(profile.total(of: column) == .max)
  }

  /// Chunks of any numbers whose checksums are right: what comes of them may be wrong, but is there.
  @Test func anyNumbersAreRead() throws {
    var generator = SystemRandomNumberGenerator()
    func number() -> UInt64 {
      let bits = UInt64.random(in: 0..<65, using: &generator)
      // Mostly small, so that many refer to something.
      let largest: UInt64 = Bool.random() ? 4 : bits == 0 ? 0 : .max >> (64 - bits)
      return UInt64.random(in: 0...largest, using: &generator)
    }
    var readCount = 0
    for _ in 0..<3000 {
      var encoder = Encoder()
      allocationSegment(into: &encoder, hasList: Bool.random())
      var other = Encoder()
      other.header(Encoder.Header(pid: 9))
      other.threads([(0, 9, "main"), (1, 10, "other")])
      other.samples([
        Encoder.thread(0), Encoder.frame(module: 0, kind: 0, delta: 64),
        Encoder.frame(module: 0, kind: 0, delta: 64), Encoder.sample(after: 1),
      ])
      other.types([(1, 1, "T"), (2, 3, "N1aE")])
      func signed() -> Int64 { Int64(bitPattern: number()) }
      func counts() -> (UInt64, UInt64, UInt64) { (number(), number(), number()) }
      for _ in 0..<4 {
        let rows = (0..<6).map { _ in
          let (node, thread) = (UInt64.random(in: 0...2), UInt64.random(in: 0...1))
          return switch Int.random(in: 0...2) {
          case 0: Encoder.allocated(node, thread, counts(), after: (signed(), signed()))
          case 1:
            Encoder.freed(
              node, thread, type: .random(in: 0...3), counts(), after: (signed(), signed()),
              temporary: number(), lifetime: number())
          default:
            Encoder.references(
              node, thread, type: .random(in: 0...3), areTaken: .random(), number())
          }
        }
        other.allocations(
          milliseconds: number(), isNewMark: .random(), interval: number(), rows)
        other.live(
          milliseconds: number() & 3,
          (0..<3).map { _ in
            [.random(in: 0...2), .random(in: 0...1), .random(in: 0...3)]
              + (0..<4).map { _ in number() }
          })
      }
      if Bool.random() {
        let payload = (0..<Int.random(in: 0..<40)).flatMap { _ in Encoder.varint(number()) }
        other.chunk(UInt32.random(in: 8...10), payload)
      }
      other.end()
      encoder.bytes += other.bytes
      let profile = try read(encoder.bytes)
      #expect(profile.origin.processes.count == 2)
      #expect(profile.columns.allSatisfy { $0.count == profile.samples.count })
      #expect(profile.columns.allSatisfy { $0.allSatisfy { $0 >= 0 } })
      let whole = SampleAccounting(profile)
      #expect(whole.samples == 2)
      if !profile.origin.isIncomplete { readCount += 1 }
      _ = LeakTable(profile)
      _ = HeapSeries(profile.origin).highest
    }
    #expect(readCount > 1000)
  }

  /// The recording that tests of the command read, which cannot make one.
  @Test func fixtureIsThisRecording() throws {
    var encoder = Encoder()
    allocationSegment(into: &encoder, interval: 512 << 10, scale: 40)
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/Recordings/allocations.wick")
    if ProcessInfo.processInfo.environment["WICK_WRITE_FIXTURES"] != nil {
      try Data(encoder.bytes).write(to: file)
    }
    #expect(try Data(contentsOf: file) == Data(encoder.bytes))
  }
}
