import Foundation

/// `wick symbolize` beside the tools that people use: the same addresses of one program.
struct Symbolization {
  var program: String
  var uniqueCount = 20_000
  var count = 100_000
  var rounds = 5

  /// A run of a tool.
  struct Run {
    var seconds: Double
    var peakMegabytes: Double
  }

  func report() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wick-symbols-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "addresses")
    try addresses().write(to: input, atomically: true, encoding: .utf8)
    let wick = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "wick").path
    let tools: [(name: String, words: [String])] = [
      ("llvm-symbolizer", ["llvm-symbolizer", "--obj=\(program)", "--inlines"]),
      ("addr2line", ["addr2line", "-a", "-i", "-f", "-C", "-e", program]),
      ("wick, cold", [wick, "symbolize", "--no-cache", "-e", program]),
      ("wick, cached", [wick, "symbolize", "-e", program]),
    ]
    var best: [Run?] = tools.map { _ in nil }
    // One round more, which fills the caches.
    for round in 0...rounds {
      for (index, tool) in tools.enumerated() {
        let run = try run(tool.words, input: input.path, cache: folder.path)
        guard round > 0 else { continue }
        best[index] = best[index].map { $0.seconds < run.seconds ? $0 : run } ?? run
      }
    }
    print("\(count) addresses, \(uniqueCount) unique, of \(program); the best of \(rounds)")
    print("                    ms     MB   wick, cold, is   wick, cached, is")
    guard let cold = best[2], let cached = best[3] else { return }
    for (tool, run) in zip(tools, best) {
      guard let run else { continue }
      print(
        tool.name.padding(toLength: 16, withPad: " ", startingAt: 0)
          + String(
            format: "%6.0f %6.0f %10.1f times %11.1f times", run.seconds * 1000,
            run.peakMegabytes, run.seconds / cold.seconds, run.seconds / cached.seconds))
    }
  }

  /// Random places of `.text`, each as likely as another.
  private func addresses() throws -> String {
    let table = try Command.output(["readelf", "-SW", program])
    guard let line = table.split(separator: "\n").first(where: { $0.contains(" .text ") }),
      let fields = line.split(separator: "]").last?.split(separator: " "), fields.count > 4,
      let start = UInt64(fields[2], radix: 16), let byteCount = UInt64(fields[4], radix: 16)
    else { throw BenchmarkError.unexpected("\(program) has no .text") }
    var random = SplitMix(state: 1)
    let unique = (0..<uniqueCount).map { _ in
      start + UInt64.random(in: 0..<byteCount, using: &random)
    }
    return (0..<count).map { _ in
      "0x" + String(unique[Int.random(in: 0..<uniqueCount, using: &random)], radix: 16) + "\n"
    }.joined()
  }

  /// Runs a tool with the addresses and throws its output away.
  private func run(_ words: [String], input: String, cache: String) throws -> Run {
    let start = ContinuousClock.now
    let usage = try Command.run(
      words, input: input, environment: ["XDG_CACHE_HOME": cache])
    let elapsed = ContinuousClock.now - start
    return Run(
      seconds: elapsed / .seconds(1), peakMegabytes: Double(usage.ru_maxrss) * 1024 / 1e6)
  }
}

/// A generator of random numbers that gives the same ones each time.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
