import Foundation

/// The sample server, and wrk as its clients.
struct LoadedServer {
  private let process = Process()
  private let url: String

  /// Where this program and the server were built.
  static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()
  /// The demo's mix of endpoints.
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "demo.lua").path

  /// Starts the server and warms it up.
  ///
  /// - Parameter wick: The variable WICK in its environment.
  /// - Throws: If it cannot be run.
  init(wick: String?) throws {
    process.executableURL = Self.products.appending(path: "WickBlogServer")
    let port = 20000 + Int(ProcessInfo.processInfo.processIdentifier % 20000)
    process.arguments = ["--port", "\(port)", "--workers", "2"]
    var environment = ProcessInfo.processInfo.environment
    environment["WICK"] = wick
    process.environment = environment
    process.standardError = FileHandle.nullDevice
    url = "http://127.0.0.1:\(port)"
    try process.run()
    var tries = 0
    while try Command.output(["curl", "-sf", "\(url)/health"]).isEmpty, tries < 200 {
      usleep(50000)
      tries += 1
    }
    _ = try load(seconds: 1)
  }

  /// Its process id.
  var pid: Int32 { process.processIdentifier }

  /// Ends it.
  func stop() {
    process.terminate()
    process.waitUntilExit()
  }

  /// Drives it for a while.
  func load(seconds: Int) throws -> (requests: Double, elapsed: Double) {
    let text = try Command.output(["wrk", "-t1", "-c8", "-d\(seconds)s", "-s", Self.script, url])
    guard let line = text.split(separator: "\n").first(where: { $0.contains(" requests in ") }),
      let rate = text.split(separator: "\n").first(where: { $0.hasPrefix("Requests/sec:") }),
      let requests = line.split(separator: " ").first.flatMap({ Double($0) }),
      let perSecond = rate.split(separator: " ").last.flatMap({ Double($0) }), perSecond > 0
    else { throw BenchmarkError.unexpected("wrk printed: \(text)") }
    return (requests, requests / perSecond)
  }

  /// The CPU time that a process has used.
  static func cpuSeconds(of pid: Int32) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12 else { return 0 }
    // Clock ticks, 100 a second in every Linux that people use (USER_HZ).
    return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / 100
  }
}
