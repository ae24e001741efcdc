import Foundation
import WickFormats
import WickProfile
import WickRecording

/// How fast the text of `perf script` is read, in one thread.
struct PerfScriptReading {
  /// Bytes of the text.
  var byteCount = 200_000_000

  func report() throws {
    let file = FileManager.default.temporaryDirectory.appending(
      path: "wick-perfscript-\(ProcessInfo.processInfo.processIdentifier).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    try PerfScriptText().write(byteCount: byteCount, to: file)
    try read(file)
  }

  /// Reads a file five times, after one read that brings it into memory.
  func read(_ file: URL) throws {
    let mapped = try MappedFile(path: file.path)
    for round in 0...5 {
      let start = cpuSeconds()
      let profile = try PerfScript.read(mapped.bytes)
      let seconds = cpuSeconds() - start
      if round == 0 {
        print(
          "\(mapped.bytes.byteCount / 1_000_000) MB: \(profile.samples.count) samples,",
          "\(Set(profile.samples.map(\.stack)).count) different stacks,",
          "\(profile.frames.count) frames, \(profile.stacks.count) nodes")
      } else {
        print(String(format: "%.0f MB/s", Double(mapped.bytes.byteCount) / 1e6 / seconds))
      }
    }
  }

  /// CPU time of this thread: what else the machine does is not counted.
  private func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
