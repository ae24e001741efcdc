import Foundation

/// How fast `wick flamegraph` draws folded stacks, the whole process, and how much memory it takes.
struct FlameGraphDrawing {
  var rounds = 5

  func report() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wick-flamegraph-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let sorted = folder.appending(path: "sorted.folded")
    let unsorted = folder.appending(path: "unsorted.folded")
    // A process begins with the peak of the one that started it, so another one makes the text.
    _ = try Command.run(["/proc/self/exe", "flamegraph", sorted.path, unsorted.path])
    print("the best of \(rounds)")
    print("              MB   MB/s by CPU time   by wall clock   peak RSS/input   SVG MB")
    try draw(sorted)
    try draw(unsorted)
  }

  /// Writes the stacks that are drawn.
  func write(sorted: URL, unsorted: URL) throws {
    var text = FoldedText()
    try text.write(to: unsorted)
    text.sort()
    try text.write(to: sorted)
  }

  private func draw(_ file: URL) throws {
    let wick = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "wick").path
    let svg = file.deletingPathExtension().appendingPathExtension("svg")
    var (cpu, wall, peak) = (Double.infinity, Double.infinity, 0.0)
    // One round more, which brings the file into memory.
    for round in 0...rounds {
      let start = ContinuousClock.now
      let usage = try Command.run(
        [wick, "flamegraph", file.path, "-o", svg.path], isQuiet: true)
      guard round > 0 else { continue }
      wall = min(wall, (ContinuousClock.now - start) / .seconds(1))
      cpu = min(cpu, seconds(usage.ru_utime) + seconds(usage.ru_stime))
      peak = max(peak, Double(usage.ru_maxrss) * 1024)
    }
    let byteCount = Double(try byteCount(of: file))
    print(
      file.deletingPathExtension().lastPathComponent.padding(
        toLength: 10, withPad: " ", startingAt: 0)
        + String(
          format: "%6.0f %18.0f %15.0f %16.2f %8.2f", byteCount / 1e6, byteCount / 1e6 / cpu,
          byteCount / 1e6 / wall, peak / byteCount, Double(try self.byteCount(of: svg)) / 1e6))
  }

  private func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }

  private func byteCount(of file: URL) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int ?? 0
  }
}
