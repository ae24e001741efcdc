import Foundation

/// What it costs to watch a program that does little but malloc and free: Wick beside its peers.
struct Allocations {
  var rounds = 7

  /// All tools in turn, again and again; with one thread and with two.
  func report() throws {
    let workload = try AllocationWorkload()
    defer { workload.remove() }
    let tools = available(workload)
    var added: [Int: [AllocationTool: Double]] = [:]
    for threads in [1, 2] {
      print("\(threads) thread(s), \(rounds) rounds; ns per malloc/free pair:")
      print(
        Self.line(
          "", ["wall", "added", "CPU", "added", "spread", "ratio", "target", "memory", "bytes"]))
      let runs = try measure(workload, tools, threads: threads)
      for tool in tools {
        guard let own = runs[tool], let base = runs[tool.base] else { continue }
        // CPU time: on a machine that has other things to do, wall time is only of use to see how long
        // threads wait for each other.
        let differences = zip(own, base).map { $0.cpu - $1.cpu }.sorted()
        let difference = Self.median(differences)
        added[threads, default: [:]][tool] = difference
        let memory = Self.median(zip(own, base).map { $0.highWaterKiB - $1.highWaterKiB })
        let wall = Self.median(zip(own, base).map { $0.wall - $1.wall })
        let costs = [
          Self.number(wall), Self.number(Self.median(own.map(\.cpu))), Self.number(difference),
          "\(Self.number(differences[0]))…\(Self.number(differences.last ?? 0))",
          Self.number(Self.median(zip(own, base).map { $0.cpu / $1.cpu }), 2),
          tool.target.map { "≤ \(Self.number($0, 0))" } ?? "",
          "\(Self.number(memory / 1024)) MiB",
          tool.recordsFile ? "\(own.map(\.recordedByteCount).max() ?? 0)" : "",
        ]
        let plain = ["", Self.number(Self.median(own.map(\.cpu)))]
        print(
          Self.line(
            tool.rawValue,
            [Self.number(Self.median(own.map(\.wall)))] + (tool == tool.base ? plain : costs)))
      }
    }
    compare(added)
  }

  /// Which tools are there, and record.
  private func available(_ workload: AllocationWorkload) -> [AllocationTool] {
    AllocationTool.allCases.filter { tool in
      if let missing = tool.missing {
        print("\(tool.rawValue): skipped, there is no \(missing)")
        return false
      }
      do {
        _ = try workload.run(tool, threads: 1, pairs: min(tool.pairCount, 100_000))
        return true
      } catch {
        print("\(tool.rawValue): skipped, \(error)")
        return false
      }
    }
  }

  private func measure(
    _ workload: AllocationWorkload, _ tools: [AllocationTool], threads: Int
  ) throws -> [AllocationTool: [AllocationWorkload.Run]] {
    var runs: [AllocationTool: [AllocationWorkload.Run]] = [:]
    for round in 0..<rounds {
      // What drifts favors each in turn.
      for place in tools.indices {
        let tool = tools[(place + round) % tools.count]
        let run = try workload.run(tool, threads: threads, pairs: tool.pairCount)
        runs[tool, default: []].append(run)
      }
    }
    return runs
  }

  private func compare(_ added: [Int: [AllocationTool: Double]]) {
    guard let one = added[1]?[.exact], let two = added[2]?[.exact] else { return }
    Self.say("all, 2 threads / 1 thread", two / one, "≤ 1.4")
    if let heaptrack = added[1]?[.heaptrack] {
      Self.say("heaptrack / Wick, all", heaptrack / one, "≥ 6")
    }
    if let one = added[1]?[.exactOneStack], let heaptrack = added[1]?[.heaptrackOneStack] {
      Self.say("heaptrack / Wick, all, one stack", heaptrack / one, "≥ 6")
    }
    if let profile = added[1]?[.tcmallocProfile] {
      Self.say("HEAPPROFILE / Wick, all", profile / one, "")
    }
    if let dhat = added[1]?[.dhat] { Self.say("dhat / Wick, all", dhat / one, "") }
  }

  /// What a process takes after hooks of all allocations have come and gone, by what it took before; less
  /// what another one's time has changed by meanwhile, which never had any.
  func reportStopped() throws {
    let workload = try AllocationWorkload()
    defer { workload.remove() }
    for threads in [1, 2] {
      var ratios: [Double] = []
      for round in 0..<rounds {
        let first = try changeOverStop(workload, threads: threads, isAttached: round % 2 == 1)
        let second = try changeOverStop(workload, threads: threads, isAttached: round % 2 == 0)
        ratios.append(round % 2 == 1 ? first / second : second / first)
      }
      Interval.say("\(threads) threads, CPU per pair, after stop/never hooked, ≤ 1.02", ratios)
    }
  }

  private func changeOverStop(
    _ workload: AllocationWorkload, threads: Int, isAttached: Bool
  ) throws -> Double {
    let measured = try workload.measureAround(threads: threads, pairs: 500_000, count: 15) { pid in
      guard isAttached else {
        usleep(500_000)
        return
      }
      let recording = workload.folder.appending(path: "stopped.wick").path
      defer { unlink(recording) }
      _ = try Command.run(
        [
          LoadedServer.products.appending(path: "wick").path, "attach", "\(pid)", "--alloc=all",
          "-d", "300ms", "-o", recording,
        ], isQuiet: true)
    }
    return measured.after / measured.before
  }

  /// How recordings grow, from a shorter and a longer run.
  func reportSizes() throws {
    let workload = try AllocationWorkload()
    defer { workload.remove() }
    print("tool                          bytes a pair   10⁹ pairs at this rate   in 10 minutes")
    for tool in available(workload) where tool.recordsFile && tool.hasFramePointers {
      let pairs = tool == .tcmallocProfile ? tool.pairCount : tool.pairCount * 2
      let short = try workload.run(tool, threads: 1, pairs: pairs)
      let long = try workload.run(tool, threads: 1, pairs: pairs * 5)
      let bytes = Double(long.recordedByteCount - short.recordedByteCount)
      let start = Double(short.recordedByteCount)
      let billion = start + bytes / Double(4 * pairs) * 1e9
      let target = tool == .exact || tool == .exactPatched ? " (≤ 20 MB)" : ""
      // Wick writes once a second what has changed; the others each event: for these, 10 minutes of
      // 10⁹ pairs are as long as 10⁹ pairs.
      let slow = tool == .heaptrack ? billion : start + bytes / (long.seconds - short.seconds) * 600
      print(
        "\(tool.rawValue.padding(toLength: 28, withPad: " ", startingAt: 0))"
          + String(format: "%14.4f", bytes / Double(4 * pairs))
          + String(format: "%19.2f MB", billion / 1e6)
          + String(format: "%15.2f MB", slow / 1e6) + target)
    }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  private static func number(_ value: Double, _ digits: Int = 1) -> String {
    String(format: "%.\(digits)f", value)
  }

  private static func line(_ name: String, _ columns: [String]) -> String {
    let widths = [9, 9, 9, 9, 16, 9, 7, 10, 10]
    return zip(columns, widths).reduce(name.padding(toLength: 29, withPad: " ", startingAt: 0)) {
      $0 + String(repeating: " ", count: max(1, $1.1 - $1.0.count)) + $1.0
    }
  }

  private static func say(_ name: String, _ value: Double, _ target: String) {
    print("\(name): \(number(value, 2)) \(target)")
  }
}
