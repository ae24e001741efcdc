import Foundation
import Testing
import WickProfile

/// What the torture program counted of itself.
private struct TortureCount: Decodable {
  var cpu: Double
  var eachSecond: [[Int]]

  enum CodingKeys: String, CodingKey {
    case cpu
    case eachSecond = "each_second"
  }
}

/// Exceptions, loading, threads and forks, all at once and at 4 kHz: where other profilers hang.
@Suite(.serialized) struct TortureTests {
  /// A minute in all. Ten minutes by hand: WICK_TORTURE_SECONDS=600 swift test --filter TortureTests
  static let seconds =
    ProcessInfo.processInfo.environment["WICK_TORTURE_SECONDS"].flatMap { Int($0) }
    ?? 60 / Permission.engines.count

  @Test(arguments: Permission.engines) func hostGoesOn(engine: String) throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "torture-%p.wick")
      let outcome = try Host.runWatched(
        try CompiledFixture.torture.get(), ["\(Self.seconds)", try CompiledFixture.library.get()],
        environment: Host.preloading(file, "hz=3999,engine=\(engine)"),
        seconds: Double(Self.seconds) * 4 + 60)
      #expect(!outcome.isSignaled)
      try #require(outcome.exitCode == 0, "\(outcome.text)")
      #expect(outcome.errors.isEmpty)
      let count = try JSONDecoder().decode(TortureCount.self, from: outcome.output)
      #expect(count.eachSecond.count == Self.seconds)
      // A busy machine may leave nothing to one of them for a second, not for a quarter of the time.
      for quarter in 0..<4 {
        let slice = count.eachSecond[
          (quarter * Self.seconds / 4)..<((quarter + 1) * Self.seconds / 4)]
        for kind in 0..<4 {
          #expect(slice.contains { $0[kind] > 0 }, "quarter \(quarter): \(Array(slice))")
        }
      }

      // Forked children record nothing.
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
      try #require(files.count == 1)
      let profile = try Host.read(files[0])
      #expect(!profile.origin.isIncomplete)
      #expect(profile.origin.processes.map(\.endReason) == ["exited"])
      #expect(profile.origin.statistic("weight") == UInt64(profile.total(of: 0)))
      let lost = ["lostRingFull", "lostNoSlot", "lostStackTable"].map(profile.origin.statistic)
      let sampled = Double(profile.total(of: 1)) / 1e9
      // Ticks that fall due while signals are blocked for a fork become one.
      #expect((count.cpu * 0.7...count.cpu * 1.1).contains(sampled), "\(sampled) of \(count.cpu) s")
      #expect(Double(lost.reduce(0, +)) <= Double(profile.total(of: 0)) / 100, "\(lost)")
      // The four that work; of the short ones, those that a tick fell into.
      #expect(profile.threads.count >= 4)
    }
  }
}
