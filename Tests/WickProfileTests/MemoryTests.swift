import Testing
import WickProfile

@Suite struct MemoryTests {
  private let profile = memoryProfile()

  private func column(_ type: ValueType) throws -> Int {
    try #require(profile.valueTypes.firstIndex(of: type))
  }

  @Test func typesAreGroups() throws {
    let table = GroupTable(profile, by: .type, column: try column(.allocatedSpace))
    #expect(table.rows.map(\.name) == [nil, "app.Node"])
    #expect(table.rows.map(\.totalValue) == [139_264, 131_072])
    #expect(table.rows.reduce(0) { $0 + $1.selfValue } == table.total)
  }

  @Test func stacksWithoutTypesHaveTheSameValues() throws {
    let plain = profile.withoutObjectTypes
    #expect(!plain.hasObjectTypes)
    #expect(plain.samples.count == profile.samples.count)
    #expect(plain.columns == profile.columns)
    #expect(plain.withoutObjectTypes.frames == plain.frames)
  }

  @Test func countingLeavesRowsOfOthersOut() throws {
    let memory = profile.counting(try column(.liveSpace))
    #expect(memory.samples.count == 2)
    #expect(memory.total(of: try column(.liveSpace)) == 131_072)
    #expect(memory.total(of: 0) == 0)
    #expect(profile.counting(0).frames.map(\.function) == ["main", "work"])
    var samples = Profile(valueTypes: [.samples])
    samples.add(Profile.Sample(stack: 0), values: [0])
    #expect(samples.counting(0).samples.count == 1)
  }

  @Test func samplesAreRowsThatCountSome() {
    let accounting = SampleAccounting(profile)
    #expect(accounting.samples == 1)
    #expect(accounting.weight == 5)
    #expect(accounting.allocations?.total(.allocatedObjects) == 5000)
    #expect(accounting.allocations?.freedObjects == 3000)
    #expect(accounting.allocations?.lostFrees == nil)
  }

  @Test func errorsAreThoseOfWhatWasFollowed() throws {
    let space = try column(.allocatedSpace)
    #expect(profile.samplingColumns(of: 0) == nil)
    #expect(profile.samplingColumns(of: try column(.followed)) == nil)
    #expect(memoryProfile(interval: 1).samplingColumns(of: space) == nil)
    func bars(_ column: Int) throws -> ErrorBars<CallTree.Function> {
      try #require(
        ErrorBars(profile.withoutObjectTypes, column: column) { column in
          FunctionTable(CallTree(profile.withoutObjectTypes, column: column)).rows.map {
            ($0.function, $0.selfValue, $0.totalValue)
          }
        })
    }
    let work = CallTree.Function(name: "work", module: "app")
    let main = CallTree.Function(name: "main", module: "app")
    func error(_ followed: Int64, _ objects: Int64, _ bytes: Int64) -> SamplingError {
      SamplingError(followed: followed, objects: objects, bytes: bytes, interval: 524_288)
    }
    #expect(try bars(space).ofTotal(work) == error(4, 4000, 262_144))
    #expect(try bars(space).ofTotal(main) == error(5, 5000, 270_336))
    #expect(try bars(space).ofSelf(main) == error(1, 1000, 8192))
    let live = try column(.liveObjects)
    #expect(try bars(live).ofTotal(work) == error(2, 2000, 131_072))
    // Of the 4 that stand for 4000 allocations 2 were live at the mark.
    let peak = try column(.peakSpace)
    #expect(try bars(peak).ofTotal(work) == error(2, 2000, 131_072))
  }

  @Test func differencesOfAllocationsAreChanceOnlyWhereSampled() throws {
    let column = try column(.allocatedSpace)
    func comparison(_ interval: UInt64) -> Comparison {
      let profile = memoryProfile(interval: interval)
      return Comparison(before: profile, after: profile, columns: (column, column))
    }
    #expect(comparison(1).isNoise((before: 8192, after: 8192)))
    #expect(!comparison(1).isNoise((before: 8192, after: 8193)))
    // One followed object of some 54 KB more or less is chance, twenty are not.
    #expect(comparison(524_288).isNoise((before: 65_536, after: 131_072)))
    #expect(!comparison(524_288).isNoise((before: 65_536, after: 2_000_000)))
    #expect(comparison(1).functions.allSatisfy { $0.selfDifference == 0 })
  }

  @Test func leaksAreWhatIsLiveAndOldEnough() throws {
    let table = try #require(LeakTable(profile, threshold: .age(0)))
    #expect(table.total.bytes == 131_072)
    #expect(table.rows.count == 1)
    #expect(table.rows[0].objects == 2000)
    #expect(table.rows[0].meanAge == 4_500_000_000)
    #expect(table.rows[0].types == ["app.Node"])
    let old = try #require(LeakTable(profile, threshold: .age(5_000_000_000)))
    #expect(old.total.objects == 1000)
    #expect(old.young.objects == 1000)
    #expect(old.rows[0].meanAge == 8_000_000_000)
    // A tenth is a second, and the younger half has lived for exactly that.
    #expect(LeakTable(profile)?.young.objects == 0)
    #expect(LeakTable(profile, threshold: .age(1_000_000_001))?.young.objects == 1000)
    #expect(LeakTable(Profile(valueTypes: [.samples])) == nil)
  }

  @Test func leaksOfUnknownAgeAreShownUnlessAnAgeIsAskedFor() throws {
    var profile = profile
    profile.origin.processes[0].heap?.listNanoseconds = nil
    let table = try #require(LeakTable(profile))
    #expect(!table.hasAges)
    #expect(table.total.objects == 2000)
    #expect(table.rows[0].meanAge == nil)
    #expect(LeakTable(profile, threshold: .age(1))?.total.objects == 0)
  }

  @Test func seriesAddsProcessesUp() {
    func heap(_ points: [(UInt64, Int64)]) -> Origin.Process {
      var process = Origin.Process(pid: 1)
      var heap = HeapHistory()
      heap.points = points.map {
        HeapHistory.Point(nanoseconds: $0.0, bytes: $0.1, objects: $0.1)
      }
      process.heap = heap
      return process
    }
    var origin = Origin()
    #expect(HeapSeries(origin).points == [])
    // The first ends at 30; it is not asked any more at 40.
    origin.processes = [heap([(10, 5), (20, 7), (30, 6)]), heap([(15, 100), (40, 90), (45, 80)])]
    let series = HeapSeries(origin)
    #expect(series.points.map(\.nanoseconds) == [10, 15, 20, 30, 40, 45])
    #expect(series.points.map(\.bytes) == [5, 105, 107, 106, 90, 80])
    #expect(series.highest?.nanoseconds == 20)
  }

  /// Whatever stands below the line that asked for memory, the memory is the line's.
  @Test func stacksEndAtTheirInnermostMatch() throws {
    let space = try column(.allocatedSpace)
    let cut = profile.endingStacks { $0.file == "/src/app.swift" }
    #expect(cut.total(of: space) == profile.total(of: space))
    let leaves = cut.samples.map { sample in
      cut.stacks.framesLeafFirst(of: sample.stack).map { cut.frames[$0].function }
    }
    #expect(
      leaves == [
        ["work", "main"], ["app.Node", "work", "main"], ["app.Node", "work", "main"],
        ["work", "main"], ["main"],
      ])
    let whole = profile.endingStacks { _ in false }
    #expect(whole.stacks.count == profile.stacks.count)
    // A frame between two that match stays.
    let outer = profile.endingStacks { ["main", "push_back"].contains($0.function) }
    #expect(
      outer.stacks.framesLeafFirst(of: outer.samples[3].stack).map { outer.frames[$0].function }
        == ["push_back", "work", "main"])
  }
}
