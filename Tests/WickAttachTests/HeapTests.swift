import Foundation
import Glibc
import Testing
import WickTestPrograms

/// Programs that are in malloc most of the time, and sleep between.
@Suite(.serialized, .timeLimit(.minutes(30))) struct HeapTests {
  private func start(_ arguments: [String], in folder: URL) throws -> Program {
    let program = try Program(try Fixture.heap.get(), arguments, folder: folder)
    try program.waitFor("ready\n")
    return program
  }

  /// With one and with many threads, and with stacks that the injected code would not fit on.
  @Test(arguments: [["1"], ["6"], ["6", "16384"]])
  func heapIsWholeAfterAttaching(arguments: [String]) throws {
    try Place.withFolder { folder in
      let program = try start(arguments, in: folder)
      var longest: [Int] = []
      func ask() throws {
        let lines = program.output.split(separator: "\n").count
        program.say("\n")
        let isAnswered = Wait.until(seconds: 10) {
          program.output.hasSuffix("\n") && program.output.split(separator: "\n").count > lines
        }
        try #require(isAnswered, "\(program.hasEnded) \(program.output)")
        longest.append(program.output.split(separator: "\n").last.flatMap { Int($0) } ?? 0)
      }
      // As long a time without anybody who attaches.
      for _ in 0..<AttachedTarget.cycles {
        usleep(100_000)
        try ask()
      }
      let undisturbed = longest.dropFirst().sorted()
      longest = []
      try AttachedTarget(pid: program.pid, folder: folder).cycle(between: ask)
      program.closeInput()
      #expect(program.exitCode() == 0, "\(program.output)")
      print("heap \(arguments): longest delay of 1 ms sleeps, µs:")
      print("  by itself \(Self.percentiles(undisturbed))")
      print("  attached  \(Self.percentiles(longest.sorted()))")
    }
  }

  private static func percentiles(_ sorted: [Int]) -> String {
    func at(_ share: Double) -> Int {
      sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
    return "p50 \(at(0.5)), p99 \(at(0.99)), max \(sorted.last ?? 0)"
  }

  /// Nobody enters a thread that may be in malloc: it is refused, after some seconds.
  @Test func programThatNeverWaitsIsLeftAlone() throws {
    try Place.withFolder { folder in
      let program = try start(["spin"], in: folder)
      let target = AttachedTarget(pid: program.pid, folder: folder)
      let before = Footprint(program.pid)
      for _ in 0..<max(1, AttachedTarget.cycles / 10) {
        let run = try target.attach()
        #expect(run.exitCode == 3 && run.output.contains("no thread of process"), "\(run)")
      }
      let after = Footprint(program.pid)
      #expect(after.differences(since: before) { _ in false }.isEmpty)
      #expect(after.agentCount == 0)
      #expect(!program.hasEnded)
      kill(program.pid, SIGTERM)
      #expect(program.exitCode() == 0)
    }
  }
}
