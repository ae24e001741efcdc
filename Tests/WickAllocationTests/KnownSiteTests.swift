import Foundation
import Testing
import WickTestPrograms

/// Exact mode is exact: each place's objects, bytes, frees and leaks to the unit.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KnownSiteTests {
  private static let rounds = 50

  private func check(
    _ way: AllocationRecording.Way, _ program: String, threads: Int
  ) throws {
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(
        way, program, ["\(threads)", "\(Self.rounds)"], folder: folder)
      try recording.expectComplete()
      let truth = recording.truth("site_")
      try #require(truth.count == 20, "\(recording.output)")
      let names = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "temporary"]
      let found = try names.map { try recording.functions($0) }
      for (site, numbers) in truth {
        try #require(numbers.count == 5)
        let (objects, bytes, freed, freedBytes) = (numbers[0], numbers[1], numbers[2], numbers[3])
        let expected = [objects, bytes, objects - freed, bytes - freedBytes, numbers[4]]
        #expect(
          found.map { $0[site]?.total ?? 0 } == expected, "\(way) \(threads) \(site): \(names)")
      }
    }
  }

  @Test(arguments: AllocationRecording.Way.allCases, [1, 4])
  func sitesAreCountedToTheUnit(way: AllocationRecording.Way, threads: Int) throws {
    try check(way, try AllocationFixture.known.get(), threads: threads)
  }

  /// Thousands of stacks, none of which is taken for another.
  @Test func everyOneOfManyStacksIsCountedToTheUnit() throws {
    let (depth, rounds, threads) = (12, 3, 2)
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(
        .preloaded, try AllocationFixture.paths.get(), ["\(depth)", "\(rounds)", "\(threads)"],
        folder: folder)
      try recording.expectComplete()
      let kept = [
        "alloc_objects": rounds * threads, "alloc_space": rounds * threads,
        "inuse_objects": threads, "inuse_space": threads,
      ]
      for (value, times) in kept {
        var seen: Set<Int> = []
        for (stack, found) in try recording.stacks(value) where stack.last == "leaf" {
          // The first turn is the same for all.
          let turns = stack.filter { $0.hasSuffix("_turn") }.dropFirst()
          try #require(turns.count == depth, "\(stack)")
          let path = turns.enumerated().reduce(0) { path, turn in
            path | (turn.element == "right_turn" ? 1 << turn.offset : 0)
          }
          #expect(seen.insert(path).inserted, "\(stack) twice")
          let expected = value.hasSuffix("space") ? times * (path + 1) : times
          #expect(found == expected, "\(value) of \(path)")
        }
        #expect(seen.count == 1 << depth, "\(value)")
      }
    }
  }

  /// Stacks by unwind tables alone.
  @Test(arguments: AllocationRecording.Way.allCases)
  func sitesAreCountedWithoutFramePointers(way: AllocationRecording.Way) throws {
    try check(way, try AllocationFixture.knownWithoutFramePointers.get(), threads: 2)
  }

  /// One copy of the agent works, whichever the loader finds first.
  @Test(arguments: AllocationRecording.Way.allCases)
  func programsThatLinkTheAgentAreCountedOnce(way: AllocationRecording.Way) throws {
    try check(way, try AllocationFixture.knownWithAgent.get(), threads: 2)
  }

  /// The most is live in the last round, when the one large block is.
  @Test(arguments: AllocationRecording.Way.allCases)
  func highWaterMarkIsMadeOfWhatWasLive(way: AllocationRecording.Way) throws {
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(
        way, try AllocationFixture.known.get(), ["1", "\(Self.rounds)"], folder: folder)
      let large: Int64 = (3 << 20) + 5
      let handed = (0..<32).reduce(Int64(0)) { $0 + 1000 + Int64($1) }
      let leaked = Int64(77 * (Self.rounds - 1))
      let found = try recording.functions("peak")
      let mark = Int64(try recording.account().peakBytes)
      // And a little that the C library has.
      #expect(abs(mark - large - handed - leaked) < 20_000, "\(mark)")
      #expect(found["site_large"]?.total == large)
      #expect(found["site_handed"]?.total == handed)
      #expect(found["site_realloc_grow"]?.total ?? 0 == 0)
      #expect(abs((found["site_leak"]?.total ?? 0) - leaked) <= 77)
    }
  }
}
