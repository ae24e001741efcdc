import Foundation

/// What sampling costs the sample server under load: the same load with and without the agent, in
/// interleaved pairs of fresh processes, order alternating.
struct Overhead {
  var pairs = 10
  var hertz = 99
  var seconds = 4
  /// The demo's mix of endpoints.
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "demo.lua").path

  /// One run of the server.
  struct Run {
    var requestsPerSecond: Double
    /// Free of what else the machine does, and of the load generator.
    var requestsPerCPUSecond: Double
  }

  func report() throws {
    var ratios: [(rate: Double, cpu: Double)] = []
    for pair in 0..<pairs {
      let recordedFirst = pair % 2 == 1
      let first = try run(recorded: recordedFirst)
      let second = try run(recorded: !recordedFirst)
      let (with, without) = recordedFirst ? (first, second) : (second, first)
      ratios.append(
        (
          with.requestsPerSecond / without.requestsPerSecond,
          with.requestsPerCPUSecond / without.requestsPerCPUSecond
        ))
      say(
        "pair \(pair + 1): \(format(without.requestsPerSecond)) → "
          + "\(format(with.requestsPerSecond)) requests/s, ratio \(format(ratios[pair].rate, 4)), "
          + "per CPU-second \(format(ratios[pair].cpu, 4))")
    }
    summarize("requests per second, with/without", ratios.map(\.rate))
    summarize("requests per CPU-second, with/without", ratios.map(\.cpu))
  }

  private func run(recorded: Bool) throws -> Run {
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
    environment["WICK"] = recorded ? "out=\(recording.path),hz=\(hertz)" : nil
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
    let before = cpuSeconds(of: server.processIdentifier)
    let (requests, elapsed) = try load(url, seconds: seconds)
    let cpu = cpuSeconds(of: server.processIdentifier) - before
    return Run(requestsPerSecond: requests / elapsed, requestsPerCPUSecond: requests / cpu)
  }

  private func fetch(_ url: String) throws -> String? {
    let text = try output(of: "curl", ["-sf", url])
    return text.isEmpty ? nil : text
  }

  private func load(_ url: String, seconds: Int) throws -> (requests: Double, elapsed: Double) {
    let text = try output(of: "wrk", ["-t1", "-c8", "-d\(seconds)s", "-s", Self.script, url])
    guard let line = text.split(separator: "\n").first(where: { $0.contains(" requests in ") }),
      let rate = text.split(separator: "\n").first(where: { $0.hasPrefix("Requests/sec:") }),
      let requests = line.split(separator: " ").first.flatMap({ Double($0) }),
      let perSecond = rate.split(separator: " ").last.flatMap({ Double($0) }), perSecond > 0
    else { throw BenchmarkError.unexpected("wrk printed: \(text)") }
    return (requests, requests / perSecond)
  }

  private func output(of program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/\(program)")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
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
      "\(hertz) Hz, \(name): \(format(mean, 4)) ± \(format(half, 4)) (95 %, \(values.count) pairs)")
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
