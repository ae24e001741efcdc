import Foundation

/// What a session of `wick attach` costs a server that runs: the same process with and without one,
/// again and again.
struct Attachment {
  var rounds = 20
  var hertz = 99
  var seconds = 3
  /// Whether allocations are sampled too, every 512 KiB.
  var followsAllocations = false

  func report() throws {
    let server = try LoadedServer(wick: nil)
    defer { server.stop() }
    var ratios: [(rate: Double, cpu: Double)] = []
    for round in 0..<rounds {
      // What drifts favors either side in turn.
      let first = try measure(server, isAttached: round % 2 == 1)
      let second = try measure(server, isAttached: round % 2 == 0)
      let (with, without) = round % 2 == 1 ? (first, second) : (second, first)
      ratios.append((with.rate / without.rate, with.cpu / without.cpu))
      print(
        String(
          format: "round %d: %.0f requests/s; attached %.4f, per CPU-second %.4f", round + 1,
          without.rate, with.rate / without.rate, with.cpu / without.cpu))
    }
    let what = "\(hertz) Hz\(followsAllocations ? " and allocations" : "")"
    Interval.say("\(what), requests per second, attached/not", ratios.map(\.rate))
    Interval.say("\(what), requests per CPU-second, attached/not", ratios.map(\.cpu))
  }

  private func measure(
    _ server: LoadedServer, isAttached: Bool
  ) throws -> (rate: Double, cpu: Double) {
    let recording = FileManager.default.temporaryDirectory.appending(
      path: "wick-attached-\(ProcessInfo.processInfo.processIdentifier).wick")
    defer { try? FileManager.default.removeItem(at: recording) }
    let wick = Process()
    wick.executableURL = LoadedServer.products.appending(path: "wick")
    wick.arguments =
      ["attach", "\(server.pid)", "-F", "\(hertz)", "-o", recording.path]
      + (followsAllocations ? ["--alloc"] : [])
    wick.standardError = FileHandle.nullDevice
    if isAttached { try wick.run() }
    // In both cases, as it is a pause.
    usleep(500_000)
    let before = LoadedServer.cpuSeconds(of: server.pid)
    let (requests, elapsed) = try server.load(seconds: seconds)
    let cpu = LoadedServer.cpuSeconds(of: server.pid) - before
    if isAttached {
      wick.interrupt()
      wick.waitUntilExit()
      guard wick.terminationStatus == 0 else {
        throw BenchmarkError.unexpected("wick attach ended with \(wick.terminationStatus)")
      }
    }
    return (requests / elapsed, requests / cpu)
  }
}
