import CWickAgent
import CWickBenchmark
import Foundation
import WickProfile
import WickRecording

/// The unwinder: its walks beside libunwind's and glibc's, and its tables.
enum Unwinding {
  static func reportWalks(seconds: Double) throws {
    let costs = wick_measure_unwinders(seconds)
    if let failure = costs.failure {
      throw BenchmarkError.unexpected(String(cString: failure))
    }
    print("one unwinder per sample in turn: cold as in life; all on one sample, again: warm")
    print("                    frames a walk    cold ns/frame    warm ns/frame")
    func line(_ name: String, _ cost: wick_unwinder_cost) -> (cold: Double, warm: Double) {
      let cold = cost.cold_ns / Double(cost.cold_frames)
      let warm = cost.warm_ns / Double(cost.warm_frames)
      let depth = Double(cost.cold_frames) / Double(cost.cold_walks)
      let label = name.padding(toLength: 18, withPad: " ", startingAt: 0)
      print(label + String(format: "%14.1f %16.1f %16.1f", depth, cold, warm))
      return (cold, warm)
    }
    let wick = line("wick", costs.wick)
    let steps = line("unw_step", costs.unw_step)
    let trace = line("backtrace()", costs.backtrace)
    print(
      String(
        format: "faster than unw_step %.1f times cold, %.1f warm; than backtrace() %.1f and %.1f",
        steps.cold / wick.cold, steps.warm / wick.warm, trace.cold / wick.cold,
        trace.warm / wick.warm))
    let walks = costs.wick.cold_walks + 2 * costs.wick.warm_walks
    print("\(walks) walks, \(costs.truncated) truncated")
  }

  static func reportTables() throws {
    let cost = wick_measure_tables()
    print(
      String(
        format: "%d modules, %d functions, %d rows: %.2f MB (%.2f bytes a row), built in %.1f ms",
        cost.module_count, cost.function_count, cost.row_count, Double(cost.byte_count) / 1e6,
        Double(cost.byte_count) / Double(cost.row_count), cost.build_ns / 1e6))
  }

  /// In a process of its own: the tables are not there yet.
  static func reportFirstSample() throws {
    let file = FileManager.default.temporaryDirectory.appending(
      path: "wick-first-\(ProcessInfo.processInfo.processIdentifier).wick")
    defer { try? FileManager.default.removeItem(at: file) }
    var options = AgentOptions()
    let begin = Date()
    let result = file.path.withCString { path in
      options.output = path
      options.rate_hz = 10_000
      return wick_start(&options)
    }
    let started = Date()
    guard result == .ok else { throw BenchmarkError.unexpected("the agent does not start") }
    var sum = 0.0
    while Date().timeIntervalSince(started) < 0.2 {
      for number in 0..<1000 { sum += Double(number).squareRoot() }
    }
    wick_stop()
    let mapped = try MappedFile(path: file.path)
    let profile = try Recording.profile(of: mapped.bytes)
    guard let first = profile.samples.map(\.nanoseconds).min(), sum > 0 else {
      throw BenchmarkError.unexpected("no sample came")
    }
    let origin = Double(profile.origin.startRealtimeNanoseconds) / 1e9
    let latency = origin + Double(first) / 1e9 - begin.timeIntervalSince1970
    let maps = FileHandle(forReadingAtPath: "/proc/self/maps")?.readDataToEndOfFile() ?? Data()
    let modules = String(decoding: maps, as: UTF8.self).split(separator: "\n")
      .filter { $0.contains(" r-xp ") && $0.contains("/") }.count
    print(
      String(
        format: "%d modules loaded: wick_start took %.1f ms, the first sample came after %.1f ms",
        modules, started.timeIntervalSince(begin) * 1000, latency * 1000))
  }
}
