import Foundation
import Testing

@Suite(.timeLimit(.minutes(2)))
struct KnownSplitTests {
  private struct Truth: Decodable {
    struct Thread: Decodable {
      let name: String
      let tid: Int32
      let cpu_ns: Int
      let leaf_cpu_ns: [String: Int]
    }

    let pid: Int32
    let process_cpu_ns: Int
    let levels: Int
    let threads: [Thread]
  }

  private static let shares = ["leaf_seventy": 0.7, "leaf_twenty": 0.2, "leaf_ten": 0.1]

  @Test(arguments: [[], ["--late"], ["--fork"], ["--exec"], ["--exec", "--late", "--fork"]])
  func leavesHaveTheirShareOfEachThreadsTime(_ options: [String]) throws {
    let program = try SampleProgram("WickKnownSplit", ["--seconds", "0.4"] + options)
    let truth = try JSONDecoder().decode(Truth.self, from: program.outputToEnd())
    #expect(program.exitCode() == 0)
    #expect(truth.pid == program.id)
    #expect(truth.levels >= 20)
    #expect(truth.threads.map(\.name) == ["split-busy-0", "split-busy-1", "split-bursts"])
    #expect(Set(truth.threads.map(\.tid)).count == 3)
    #expect(truth.threads.reduce(0) { $0 + $1.cpu_ns } <= truth.process_cpu_ns)
    for thread in truth.threads {
      let worked = thread.leaf_cpu_ns.values.reduce(0, +)
      #expect(worked > 0 && worked <= thread.cpu_ns)
      #expect(thread.leaf_cpu_ns.keys.sorted() == Self.shares.keys.sorted())
      for (leaf, share) in Self.shares {
        // The schedule corrects itself every 1.6 ms, so it is off by a few of its turns at most.
        let error = Double(thread.leaf_cpu_ns[leaf] ?? 0) - share * Double(worked)
        #expect(abs(error) < 5_000_000, "\(leaf) of \(thread.name)")
      }
    }
  }

  @Test(arguments: [["--seconds", "0"], ["--threads", "many"], ["--nothing"], ["--seconds"]])
  func refusesOptionsThatCannotBe(_ arguments: [String]) throws {
    #expect(try SampleProgram("WickKnownSplit", arguments).exitCode() == 2)
  }
}
