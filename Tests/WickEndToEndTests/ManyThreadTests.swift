import Foundation
import Testing
import WickProfile

/// Hosts with very many threads, and recordings that begin and end among them.
@Suite(.serialized) struct ManyThreadTests {
  @Test(arguments: Permission.engines) func eachOfAThousandIsSeenInProportion(engine: String) throws
  {
    let (outcome, profile) = try Host.watchedProbe(
      ["thousand-threads"], options: "hz=4999,engine=\(engine)")
    try #require(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.errors)")
    let truth = try JSONDecoder().decode([[Double]].self, from: outcome.output)
    let weights = profile.weights()
    let period = Double(profile.origin.periodNanoseconds) / 1e9
    let found = truth.map { (weights[UInt32($0[0])] ?? 0) * period }
    let total = truth.reduce(0) { $0 + $1[1] }
    let ratio = found.reduce(0, +) / total
    // A thread's timer is looked at when the kernel ticks: what it runs after its last tick, half
    // a tick on average, nobody sees.
    let unseen = engine == "timer" ? kernelTick / 2 * Double(truth.count) / total : 0
    #expect((0.9 - unseen...1.1).contains(ratio), "\(ratio)")
    let seen = found.count { $0 > 0 }
    if engine.hasPrefix("perf") {
      #expect(seen == truth.count)
      let wrong = zip(truth, found).count { abs($0[1] - $1) > 0.3 * $0[1] }
      #expect(wrong <= truth.count / 50, "\(wrong) of \(truth.count)")
    } else {
      // The kernel looks at clocks 250 times a second: some of 8 ms meet none of its looks.
      #expect(seen > truth.count / 2, "\(seen) of \(truth.count)")
    }
  }

  /// Seconds between two ticks of the kernel.
  private var kernelTick: Double {
    var resolution = timespec()
    clock_getres(CLOCK_MONOTONIC_COARSE, &resolution)
    return Double(resolution.tv_sec) + Double(resolution.tv_nsec) / 1e9
  }

  private struct Crowd: Decodable {
    var limit: Int
    var before: Int
    var during: Int
    var after: Int
    var peakKilobytes: Int
  }

  @Test func tenThousandThreadsLeaveTheHostItsDescriptors() throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "crowd.wick")
      let outcome = try Host.runWatched("WickLinkedProbe", ["crowd", "0", "10000", file.path])
      guard outcome.exitCode != 77 else {
        print("\(outcome.text): ten thousand threads are not tested")
        return
      }
      try #require(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
      let crowd = try JSONDecoder().decode(Crowd.self, from: outcome.output)
      #expect(crowd.during - crowd.before <= (crowd.limit - crowd.before) / 4)
      #expect(crowd.after == crowd.before)
      #expect(crowd.peakKilobytes < 2 << 20)
      let profile = try Host.read(file)
      // 500 threads work for 6 ms each.
      #expect(Double(profile.total(of: 1)) / 1e9 > 1.5)
      #expect(profile.threads.count > 450)
    }
  }

  /// A thousand recordings over the engines, while threads come and go.
  @Test(arguments: Permission.engines) func recordingsLeaveNothingBehind(engine: String) throws {
    let choice = try #require(
      ["perf": "1", "perf-signal": "2", "timer": "3", "setitimer": "4"][engine])
    try Host.withFolder { folder in
      let outcome = try Host.runWatched(
        "WickLinkedProbe",
        [
          "restart", choice, "\(1000 / Permission.engines.count)",
          folder.appending(path: "restart.wick").path,
        ])
      #expect(!outcome.isSignaled && outcome.exitCode == 0, "\(outcome.text)")
    }
  }
}
