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
