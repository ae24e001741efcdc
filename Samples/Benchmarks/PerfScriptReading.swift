import Foundation
import WickFormats
import WickProfile
import WickRecording

/// How fast the text of `perf script` is read, in one thread.
struct PerfScriptReading {
  /// Bytes of the text.
  var byteCount = 200_000_000

  private static let functionCount = 20_000
  private static let moduleCount = 40

  func report() throws {
    let file = FileManager.default.temporaryDirectory.appending(
      path: "wick-perfscript-\(ProcessInfo.processInfo.processIdentifier).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    let made = try write(to: file)
    print(
      "\(made.samples) samples of \(made.stacks) different stacks, \(made.frames) frames")
    try read(file)
  }

  /// Reads a file three times, after one read that brings it into memory.
  func read(_ file: URL) throws {
    let mapped = try MappedFile(path: file.path)
    let clock = ContinuousClock()
    for round in 0...3 {
      var rows = 0
      let time = try clock.measure { rows = try PerfScript.read(mapped.bytes).samples.count }
      guard round > 0 else { continue }
      let rate = Double(mapped.bytes.byteCount) / 1e6 / (time / .seconds(1))
      print(String(format: "%.0f MB/s, %d samples", rate, rows))
    }
  }

  /// Writes samples of a server: few hot call paths and very many rare ones, leaves that differ.
  private func write(to file: URL) throws -> (samples: Int, stacks: Int, frames: Int) {
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
      throw BenchmarkError.unexpected("cannot write \(file.path)")
    }
    let handle = try FileHandle(forWritingTo: file)
    var random = SplitMix(state: 11)
    let names = (0..<Self.functionCount).map { Self.name($0, &random) }
    let modules = (0..<Self.moduleCount).map { "/usr/lib/x86_64-linux-gnu/libservice\($0).so.1" }
    /// Lines of callers, root last.
    var paths: [String] = []
    var frameCount = 0
    var (samples, written) = (0, 0)
    var text = ""
    while written < byteCount {
      // Half of the samples are of a path that was seen, hot ones more often; the others are new.
      let path: String
      if !paths.isEmpty, Double.random(in: 0..<1, using: &random) < 0.5 {
        path = paths[Self.skewed(paths.count, &random)]
      } else {
        let depth = Int.random(in: 9...39, using: &random)
        path = (0..<depth).map { _ in Self.line(names, modules, &random) }.joined()
        frameCount += depth
        paths.append(path)
      }
      let thread = Int.random(in: 0..<16, using: &random)
      let time = String(format: "%.6f", 1444.25 + Double(samples) * 0.001)
      text +=
        "worker-\(thread)  \(3000 + thread) [00\(thread % 8)]  \(time):    1001001 cpu-clock: \n"
      text += Self.line(names, modules, &random) + path + "\n"
      samples += 1
      if text.utf8.count > 1 << 20 {
        written += text.utf8.count
        try handle.write(contentsOf: Data(text.utf8))
        text = ""
      }
    }
    try handle.close()
    return (samples, paths.count, frameCount)
  }

  /// A name of about 35 characters.
  private static func name(_ number: Int, _ random: inout SplitMix) -> String {
    let words = ["handle", "request", "encode", "Buffer", "channel", "Future", "resolve", "header"]
    let parts = (0..<4).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }
    return "\(parts[0])::\(parts[1])_\(parts[2])\(parts[3])_\(number)(int, char)"
  }

  /// A frame; each function is called from eight places, hot functions more often.
  private static func line(
    _ names: [String], _ modules: [String], _ random: inout SplitMix
  ) -> String {
    let function = skewed(names.count, &random)
    let offset = 16 * (1 + Int.random(in: 0..<8, using: &random))
    let address = String(0x7f00_0000_0000 + function * 4096 + offset, radix: 16)
    let padding = String(repeating: " ", count: 16 - address.count)
    let module = modules[function % modules.count]
    return "\t\(padding)\(address) \(names[function])+0x\(String(offset, radix: 16)) (\(module))\n"
  }

  /// A number below `count`, small ones more often: as long a tail as there is.
  private static func skewed(_ count: Int, _ random: inout SplitMix) -> Int {
    let share = Double.random(in: 0..<1, using: &random)
    return min(count - 1, Int(Double(count) * share * share * share))
  }
}
