import Foundation

/// What sampling costs the sample server under load: the same load without anything, with the agent
/// and with `perf record -g` at the same rate, interleaved, each time a fresh process.
struct Overhead {
  var pairs = 10
  var hertz = 99
  var seconds = 4
  /// The demo's mix of endpoints.
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "demo.lua").path

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
      summarize("\(sampler.rawValue), requests per second, with/without", values.map(\.rate))
      summarize("\(sampler.rawValue), requests per CPU-second, with/without", values.map(\.cpu))
      if sampler == .perf {
        summarize("perf's own CPU time per CPU time of the server", values.map(\.share))
      }
    }
  }

  private func run(_ sampler: Sampler) throws -> Run {
    let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    let recording = FileManager.default.temporaryDirectory.appending(
      path: "wick-overhead-\(ProcessInfo.processInfo.processIdentifier).wick")
    defer { try? FileManager.default.removeItem(at: recording) }
    let server = Process()
    server.executableURL = products.appending(path: "WickBlogServer")
    let port = 20000 + Int(ProcessInfo.processInfo.processIdentifier % 20000)
    server.arguments = ["--port", "\(port)", "--workers", "2"]
    var environment = ProcessInfo.processInfo.environment
    environment["WICK"] = sampler == .wick ? "out=\(recording.path),hz=\(hertz)" : nil
    server.environment = environment
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer {
      server.terminate()
      server.waitUntilExit()
    }
    let url = "http://127.0.0.1:\(port)"
    var tries = 0
    while try fetch("\(url)/health") == nil, tries < 200 {
      usleep(50000)
      tries += 1
    }
    _ = try load(url, seconds: 1)
    let perf = sampler == .perf ? try startPerf(server.processIdentifier, to: recording.path) : nil
    defer {
      perf?.interrupt()
      perf?.waitUntilExit()
    }
    let before = cpuSeconds(of: server.processIdentifier)
    let (requests, elapsed) = try load(url, seconds: seconds)
    let cpu = cpuSeconds(of: server.processIdentifier) - before
    let own = perf.map { cpuSeconds(of: $0.processIdentifier) } ?? 0
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

  private func fetch(_ url: String) throws -> String? {
    let text = try Command.output(["curl", "-sf", url])
    return text.isEmpty ? nil : text
  }

  private func load(_ url: String, seconds: Int) throws -> (requests: Double, elapsed: Double) {
    let text = try Command.output(["wrk", "-t1", "-c8", "-d\(seconds)s", "-s", Self.script, url])
    guard let line = text.split(separator: "\n").first(where: { $0.contains(" requests in ") }),
      let rate = text.split(separator: "\n").first(where: { $0.hasPrefix("Requests/sec:") }),
      let requests = line.split(separator: " ").first.flatMap({ Double($0) }),
      let perSecond = rate.split(separator: " ").last.flatMap({ Double($0) }), perSecond > 0
    else { throw BenchmarkError.unexpected("wrk printed: \(text)") }
    return (requests, requests / perSecond)
  }

  private func cpuSeconds(of pid: Int32) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12 else { return 0 }
    // Clock ticks, 100 a second in every Linux that people use (USER_HZ).
    return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / 100
  }

  /// Prints the mean and its 95 % interval by Student's t.
  private func summarize(_ name: String, _ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
    // Two-sided 97.5 % points for 1…30 degrees of freedom.
    let points = [
      12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
      2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
      2.052, 2.048, 2.045, 2.042,
    ]
    let point = points[min(max(values.count - 2, 0), points.count - 1)]
    let half = point * (variance / count).squareRoot()
    print(
      "\(hertz) Hz, \(name): \(format(mean, 4)) ± \(format(half, 4)) "
        + "(95 %, \(values.count) rounds)")
  }

  /// Prints a line at once, also into a file.
  private func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }

  private func format(_ value: Double, _ digits: Int = 0) -> String {
    String(format: "%.\(digits)f", value)
  }
}

/// A benchmark that could not be run.
enum BenchmarkError: Error {
  case unexpected(String)
}
