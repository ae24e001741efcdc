import Foundation
import WickProfile
import WickRecording

/// Whether what is delivered is what was asked for: weight against CPU time, and threads' shares.
struct Rates {
  var seconds = 5

  /// What `WickKnownSplit` measured of itself.
  private struct Truth: Decodable {
    struct Thread: Decodable {
      var tid: UInt32
      var cpu_ns: Double
    }
    var threads: [Thread]
  }

  func report() throws {
    let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    let agent = products.appending(path: "Wick_CWickAgent.resources/libwick.so").path
    print("engine          Hz   delivered/expected   largest error of a thread's share, points")
    for engine in ["perf", "perf-signal", "timer", "setitimer"] {
      for hertz in [100, 997, 5000, 10_000] {
        let file = FileManager.default.temporaryDirectory.appending(
          path: "wick-rates-\(ProcessInfo.processInfo.processIdentifier).wick")
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = products.appending(path: "WickKnownSplit")
        process.arguments = ["--seconds", "\(seconds)", "--threads", "3"]
        process.environment = ProcessInfo.processInfo.environment.merging([
          "LD_PRELOAD": agent, "WICK": "out=\(file.path),hz=\(hertz),engine=\(engine)",
        ]) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let label = engine.padding(toLength: 12, withPad: " ", startingAt: 0)
        guard let mapped = try? MappedFile(path: file.path) else {
          print(label + String(format: "%6d   not to be had here", hertz))
          continue
        }
        let profile = try Recording.profile(of: mapped.bytes)
        let truth = try JSONDecoder().decode(Truth.self, from: data)
        let total = truth.threads.reduce(0) { $0 + $1.cpu_ns }
        var weights: [UInt32: Double] = [:]
        for (row, sample) in profile.samples.enumerated() {
          guard let thread = sample.thread else { continue }
          weights[profile.threads[thread].tid, default: 0] += Double(profile.columns[0][row])
        }
        let known = truth.threads.map { weights[$0.tid] ?? 0 }
        let all = known.reduce(0, +)
        let delivered = all * Double(profile.origin.periodNanoseconds) / total
        let errors = zip(truth.threads, known).map { abs($1 / all - $0.cpu_ns / total) * 100 }
        print(label + String(format: "%6d %20.4f %20.2f", hertz, delivered, errors.max() ?? 0))
      }
    }
  }
}
