import Foundation
import Testing
import WickTestPrograms

/// Exact mode is exact: each place's objects, bytes, frees and leaks to the unit.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KnownSiteTests {
  private static let rounds = 50

  private func check(
    _ way: AllocationRecording.Way, _ program: String, threads: Int, isTemporaryKnown: Bool = true
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
}
