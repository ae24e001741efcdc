import Foundation
import Testing
import WickProfile
import WickRecording

/// Runs what SwiftPM built beside this test bundle.
enum Host {
  /// The folder of the built products.
  static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  static let agent = products.appending(path: "Wick_CWickAgent.resources/libwick.so")

  /// How a program ended.
  struct Outcome {
    var exitCode: Int32
    var isSignaled: Bool
    var output: Data
    var errors: String
  }

  /// Runs a product (or, with a slash in its name, a program) to its end.
  @discardableResult
  static func run(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    folder: URL? = nil
  ) throws -> Outcome {
    let running = try start(program, arguments, environment: environment, folder: folder)
    let data = running.output.fileHandleForReading.readDataToEndOfFile()
    running.process.waitUntilExit()
    defer { try? FileManager.default.removeItem(at: running.errors) }
    return Outcome(
      exitCode: running.process.terminationStatus,
      isSignaled: running.process.terminationReason == .uncaughtSignal, output: data,
      errors: try String(contentsOf: running.errors, encoding: .utf8))
  }

  /// A program that runs.
  struct Running {
    var process: Process
    var output: Pipe
    /// A file: a second pipe would have to be emptied at the same time.
    var errors: URL
  }

  static func start(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    folder: URL? = nil
  ) throws -> Running {
    let process = Process()
    process.executableURL =
      program.contains("/") ? URL(fileURLWithPath: program) : products.appending(path: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = folder
    let errors = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try Data().write(to: errors)
    let running = Running(process: process, output: Pipe(), errors: errors)
    process.standardOutput = running.output
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return running
  }

  /// The environment that preloads the agent.
  static func preloading(_ recording: URL, _ options: String = "") -> [String: String] {
    let comma = options.isEmpty ? "" : ","
    return ["LD_PRELOAD": HandlerAudit.preload, "WICK": "out=\(recording.path)\(comma)\(options)"]
  }

  /// Runs the probe in a mode under the agent and reads what was recorded.
  static func probe(
    _ mode: String..., options: String, environment: [String: String] = [:]
  ) throws -> (outcome: Outcome, profile: Profile) {
    try withFolder { folder in
      let file = folder.appending(path: "probe.wick")
      let outcome = try run(
        "WickAgentProbe", mode,
        environment: preloading(file, options).merging(environment) { $1 })
      return (outcome, try read(file))
    }
  }

  static func read(_ file: URL) throws -> Profile {
    let mapped = try MappedFile(path: file.path)
    return try Recording.profile(of: mapped.bytes)
  }

  /// Gives a new folder, removed afterwards.
  static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}

/// What `WickKnownSplit` measured of itself.
struct KnownSplit: Decodable {
  struct Thread: Decodable {
    var name: String
    var tid: UInt32
    var cpuNanoseconds: Double
    var leafNanoseconds: [String: Double]

    enum CodingKeys: String, CodingKey {
      case name, tid
      case cpuNanoseconds = "cpu_ns"
      case leafNanoseconds = "leaf_cpu_ns"
    }
  }

  var pid: UInt32
  var threads: [Thread]
}

extension Profile {
  /// Weight by thread id, of samples that `isIncluded` says yes to.
  func weights(where isIncluded: (Profile.Sample) -> Bool = { _ in true }) -> [UInt32: Double] {
    var weights: [UInt32: Double] = [:]
    for (row, sample) in samples.enumerated() where isIncluded(sample) {
      guard let thread = sample.thread else { continue }
      weights[threads[thread].tid, default: 0] += Double(columns[0][row])
    }
    return weights
  }

  /// Whether the innermost frame of a stack is in the function.
  func isLeaf(_ name: String, of stack: Int) -> Bool {
    stack != 0 && frames[Int(stacks.frames[stack])].function == name
  }

  /// Names of a stack's functions, leaf first.
  func functions(of stack: Int) -> [String] {
    stacks.framesLeafFirst(of: stack).map { frames[$0].function }
  }
}
