import Foundation
import Testing
import WickTestPrograms

/// Two threads that free and resize each other's blocks, whose addresses are in use again at once.
@Suite(.serialized, .timeLimit(.minutes(30))) struct RaceTests {
  /// Malloc, free and realloc; by hand 100,000,000.
  private static let events =
    ProcessInfo.processInfo.environment["WICK_RACE_EVENTS"].flatMap { Int($0) } ?? 4_000_000

  @Test(arguments: AllocationRecording.Way.allCases)
  func noLiveBlockIsLostOrInvented(way: AllocationRecording.Way) throws {
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(
        way, try AllocationFixture.race.get(), ["\(Self.events)"], folder: folder)
      try recording.expectComplete()
      let line = try #require(
        recording.output.firstMatch(of: /events (\d+) live (\d+) bytes (\d+)/))
      #expect(Int(line.1) ?? 0 >= Self.events)
      let places = ["make_block", "resize_block"]
      func total(_ value: String) throws -> Int64 {
        let found = try recording.functions(value)
        return places.reduce(0) { $0 + (found[$1]?.total ?? 0) }
      }
      #expect(try total("inuse_objects") == Int64(line.2))
      #expect(try total("inuse_space") == Int64(line.3))
      let objects = try total("alloc_objects")
      #expect(objects > Int64(Self.events) / 4)
    }
  }
}
