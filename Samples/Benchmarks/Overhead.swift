import Foundation

/// What sampling costs the sample server under load: the same load without anything, with the agent
/// and with `perf record -g` at the same rate, interleaved, each time a fresh process.
struct Overhead {
  var pairs = 10
  var hertz = 99
  var seconds = 4

  /// Who samples.
  enum Sampler: String, CaseIterable {
    case none, wick, perf
  }

  /// One run of the server.
  struct Run {
    /// CPU time of the sampler's own process per CPU time of the server's.
    var samplerShare: Double
    var requestsPerSecond: Double
    /// Free of what else the machine does, and of the load generator.
    var requestsPerCPUSecond: Double
  }

  func report() throws {
    let hasPerf = FileManager.default.isExecutableFile(atPath: "/usr/bin/perf")
    if !hasPerf { say("perf is not installed: no third arm") }
    let samplers: [Sampler] = hasPerf ? Sampler.allCases : [.none, .wick]
    var ratios: [Sampler: [(rate: Double, cpu: Double, share: Double)]] = [:]
    for round in 0..<pairs {
      // Each arm comes first, second and third in turn.
      let order = samplers.indices.map { samplers[($0 + round) % samplers.count] }
      var runs: [Sampler: Run] = [:]
      for sampler in order { runs[sampler] = try run(sampler) }
      guard let without = runs[.none] else { continue }
      var line = "round \(round + 1): \(format(without.requestsPerSecond)) requests/s"
      for sampler in samplers.dropFirst() {
        guard let with = runs[sampler] else { continue }
        let ratio = (
          rate: with.requestsPerSecond / without.requestsPerSecond,
          cpu: with.requestsPerCPUSecond / without.requestsPerCPUSecond, share: with.samplerShare
        )
        ratios[sampler, default: []].append(ratio)
        line += "; \(sampler.rawValue) \(format(ratio.rate, 4)), "
        line += "per CPU-second \(format(ratio.cpu, 4))"
      }
      say(line)
    }
    for sampler in samplers.dropFirst() {
      let values = ratios[sampler] ?? []
      Interval.say(
        "\(hertz) Hz, \(sampler.rawValue), requests per second, with/without", values.map(\.rate))
      Interval.say(
        "\(hertz) Hz, \(sampler.rawValue), requests per CPU-second, with/without", values.map(\.cpu)
      )
      if sampler == .perf {
        Interval.say(
          "\(hertz) Hz, perf's own CPU time per CPU time of the server", values.map(\.share))
      }
    }
  }

  private func run(_ sampler: Sampler) throws -> Run {
    let recording = FileManager.default.temporaryDirectory.appending(
      path: "wick-overhead-\(ProcessInfo.processInfo.processIdentifier).wick")
    defer { try? FileManager.default.removeItem(at: recording) }
    let server = try LoadedServer(
      wick: sampler == .wick ? "out=\(recording.path),hz=\(hertz)" : nil)
    defer { server.stop() }
    let perf = sampler == .perf ? try startPerf(server.pid, to: recording.path) : nil
    defer {
      perf?.interrupt()
      perf?.waitUntilExit()
    }
    let before = LoadedServer.cpuSeconds(of: server.pid)
    let (requests, elapsed) = try server.load(seconds: seconds)
    let cpu = LoadedServer.cpuSeconds(of: server.pid) - before
    let own = perf.map { LoadedServer.cpuSeconds(of: $0.processIdentifier) } ?? 0
    return Run(
      samplerShare: own / cpu, requestsPerSecond: requests / elapsed,
      requestsPerCPUSecond: requests / cpu)
  }

  /// `perf record -g` of a process, once it samples.
  private func startPerf(_ pid: Int32, to file: String) throws -> Process {
    let perf = Process()
    perf.executableURL = URL(fileURLWithPath: "/usr/bin/perf")
    perf.arguments = ["record", "-g", "-F", "\(hertz)", "-p", "\(pid)", "-o", file]
    perf.standardError = FileHandle.nullDevice
    perf.standardOutput = FileHandle.nullDevice
    try perf.run()
    usleep(500_000)
    return perf
  }

  /// Prints a line at once, also into a file.
  private func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }

  private func format(_ value: Double, _ digits: Int = 0) -> String {
    String(format: "%.\(digits)f", value)
  }
}
