import Foundation

/// `allocations.c`, with and without frame pointers.
struct AllocationWorkload {
  /// What a run printed of itself, and left.
  struct Run {
    /// Nanoseconds per pair of malloc and free, of a thread.
    var wall: Double
    var cpu: Double
    /// The process's greatest resident size.
    var highWaterKiB: Double
    var seconds: Double
    /// Of all files that the tool wrote.
    var recordedByteCount: Int
  }

  /// Holds the programs and, while one runs, what is recorded.
  let folder: URL

  /// Compiles the programs.
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(
      path: "wick-allocations-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "allocations.c").path
    for hasFramePointers in [true, false] {
      // Without builtins: compilers know malloc and free, and leave out what comes to nothing.
      let flags = [
        "-std=c2x", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin",
        "-fno-optimize-sibling-calls", "-pthread",
        hasFramePointers ? "-fno-omit-frame-pointer" : "-fomit-frame-pointer",
      ]
      _ = try Command.run(["clang"] + flags + [source, "-o", program(hasFramePointers)])
    }
  }

  /// Removes the programs.
  func remove() {
    try? FileManager.default.removeItem(at: folder)
  }

  private func program(_ hasFramePointers: Bool) -> String {
    folder.appending(path: hasFramePointers ? "allocations" : "allocations-nofp").path
  }

  /// Runs it under a tool to its end.
  func run(_ tool: AllocationTool, threads: Int, pairs: Int) throws -> Run {
    let recorded = folder.appending(path: "recorded")
    try FileManager.default.createDirectory(at: recorded, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: recorded) }
    let words =
      tool.prefix(folder: recorded.path)
      + [program(tool.hasFramePointers), "\(threads)", "\(pairs)"]
      + (tool.hasOneStack ? ["one"] : [])
    var result = try Self.result(try Command.output(words, isQuiet: true), of: tool)
    for name in try FileManager.default.contentsOfDirectory(atPath: recorded.path) {
      let file = recorded.appending(path: name).path
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      result.recordedByteCount += attributes[.size] as? Int ?? 0
    }
    guard result.recordedByteCount > 0 || !tool.recordsFile else {
      throw BenchmarkError.unexpected("\(tool.rawValue) recorded nothing")
    }
    return result
  }

  /// Measures one process `count` times, and again after `between`, which may look at it.
  ///
  /// - Returns: Nanoseconds of CPU time per pair, the medians.
  func measureAround(
    threads: Int, pairs: Int, count: Int, between: (pid_t) throws -> Void
  ) throws -> (before: Double, after: Double) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program(true))
    process.arguments = ["\(threads)", "\(pairs)", "wait"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // Whatever happens: it ends with its input.
    defer {
      try? input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
    let ready = output.fileHandleForReading.availableData
    guard String(decoding: ready, as: UTF8.self) == "ready\n" else {
      throw BenchmarkError.unexpected("the workload is not ready")
    }
    func measure() throws -> Double {
      let values = try (0..<count).map { _ in
        try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        return try Self.result(line, of: .none).cpu
      }
      return values.sorted()[count / 2]
    }
    let before = try measure()
    try between(process.processIdentifier)
    return (before, try measure())
  }

  private static func result(_ output: String, of tool: AllocationTool) throws -> Run {
    // A tool's own messages may stand around it.
    let marker = "wick-allocations "
    let line = output.split(separator: "\n").first { $0.hasPrefix(marker) }
    let words = line?.dropFirst(marker.count).split(separator: " ") ?? []
    let numbers = words.compactMap { Double($0) }
    guard numbers.count == 4 else {
      throw BenchmarkError.unexpected("\(tool.rawValue): the workload printed: \(output)")
    }
    return Run(
      wall: numbers[0], cpu: numbers[1], highWaterKiB: numbers[2], seconds: numbers[3],
      recordedByteCount: 0)
  }
}
