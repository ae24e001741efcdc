import Foundation
import Glibc
import Testing
import WickProfile
import WickRecording
import WickSymbols
import WickTarget

/// A program that runs until it is told to end, and what it is sampled with.
final class PerfProgram {
  struct Failure: Error {
    var message: String
  }

  /// How `workload.c` was built.
  enum Build: String, CaseIterable {
    case gnu, musl, dynamic
  }

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/PerfPrograms")
  /// The folder of the built products.
  static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()
  private static let folder = products.appending(path: "WickPerfPrograms")

  /// Whether this user may sample, the kernel's part too; in containers mostly not.
  static let isPermitted: Bool = {
    let sampler = try? PerfSampler(try TargetProcess(pid: getpid()))
    let isPermitted: Bool
    switch sampler {
    case .some(let sampler): isPermitted = !sampler.isUserOnly
    case .none: isPermitted = false
    }
    if !isPermitted { print("perf events are not permitted: they are not tested") }
    return isPermitted
  }()

  static let hasMusl = isInstalled("musl-gcc")
  static let hasGo = isInstalled("go")
  static let hasPerf = isInstalled("perf")

  let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  var pid: Int32 { process.processIdentifier }

  /// Starts a program with the given words.
  init(
    _ program: URL, _ words: [String] = [], environment: [String: String] = [:]
  ) throws {
    process.executableURL = program
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // A child is not yet the program that it will be.
    while try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
      == FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    {
      usleep(1000)
    }
  }

  /// Starts `workload.c` in a mode.
  convenience init(_ build: Build = .gnu, _ words: String...) throws {
    try self.init(try Self.workload(build), words)
  }

  deinit {
    if process.isRunning { kill(pid, SIGKILL) }
    process.waitUntilExit()
  }

  /// Lets the program end; returns what it printed.
  func finish() throws -> String {
    try input.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  /// CPU time that it has used; nil once it is gone.
  var cpuSeconds: Double? {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
      return nil
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Samples the program until it has used some CPU time, or ends.
  func sample(
    rate: UInt32 = 1999, seconds: Double = 3, includesChildren: Bool = false
  ) throws -> (profile: Profile, outcome: PerfSampler.Outcome, bytes: [UInt8]) {
    let end = (cpuSeconds ?? 0) + seconds
    return try sample(
      PerfSampler.Settings(rateHertz: rate, includesChildren: includesChildren)
    ) { cpuSeconds ?? 0 < end }
  }

  /// Samples the program and reads what was recorded.
  func sample(
    _ settings: PerfSampler.Settings, while isWanted: () -> Bool
  ) throws -> (profile: Profile, outcome: PerfSampler.Outcome, bytes: [UInt8]) {
    var segments: [UInt32: [UInt8]] = [:]
    let collected = Collector()
    let sampler = try PerfSampler(try TargetProcess(pid: pid), settings)
    let outcome = try sampler.run(to: { collected.sink(of: $0) }, while: isWanted)
    segments = collected.segments
    let own = segments.removeValue(forKey: UInt32(pid)) ?? []
    let bytes = segments.sorted { $0.key < $1.key }.reduce(own) { $0 + $1.value }
    var symbolicator = Symbolicator()
    return (symbolicator.symbolicate(try Recording.profile(of: bytes.span.bytes)), outcome, bytes)
  }

  /// Collects segments by process.
  final class Collector {
    var segments: [UInt32: [UInt8]] = [:]

    func sink(of pid: UInt32) -> RecordingWriter.Sink {
      { [self] bytes in
        for offset in 0..<bytes.byteCount {
          segments[pid, default: []].append(
            bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
        }
      }
    }
  }

  /// `workload.c` as a program.
  static func workload(_ build: Build) throws -> URL {
    let flags: [String]
    switch build {
    case .gnu: flags = ["gcc", "-static", "-Wl,--build-id"]
    case .musl: flags = ["musl-gcc", "-static", "-Wl,--build-id"]
    case .dynamic: flags = ["gcc", "-DHAS_PLUGINS"]
    }
    return try compile(
      flags + [
        "-std=gnu2x", "-O2", "-g", "-fno-omit-frame-pointer", "-Wall", "-Wextra", "-Werror",
      ],
      ["-pthread"], "workload.c", "workload-\(build.rawValue)")
  }

  /// The library that `workload.c` can load.
  static func plugin() throws -> URL {
    try compile(
      ["gcc", "-shared", "-fPIC", "-O2", "-g", "-fno-omit-frame-pointer", "-Wl,--build-id"], [],
      "plugin.c", "plugin.so")
  }

  /// `workload.go` as a program.
  static func goWorkload() throws -> URL {
    let product = folder.appending(path: "workload-go")
    try run(
      [
        "go", "build", "-ldflags", "-B 0x11223344aabbccdd", "-o", product.path,
        sources.appending(path: "workload.go").path,
      ],
      ["HOME": folder.path, "GOFLAGS": "-mod=mod", "GO111MODULE": "off"])
    return product
  }

  private static func compile(
    _ flags: [String], _ libraries: [String], _ source: String, _ product: String
  ) throws -> URL {
    let url = folder.appending(path: product)
    try run(flags + [sources.appending(path: source).path, "-o", url.path] + libraries)
    return url
  }

  /// Runs a command to its end; returns what it printed.
  @discardableResult
  static func run(_ words: [String], _ environment: [String: String] = [:]) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(message: words.joined(separator: " "))
    }
    return String(decoding: data, as: UTF8.self)
  }

  private static func isInstalled(_ program: String) -> Bool {
    let isThere = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .contains { access("\($0)/\(program)", X_OK) == 0 }
    if !isThere { print("\(program) is not installed: what needs it is not tested") }
    return isThere
  }
}

extension Profile {
  /// Names of a stack's functions, leaf first.
  func functions(of stack: Int) -> [String] {
    stacks.framesLeafFirst(of: stack).map { frames[$0].function }
  }

  /// Weight of samples whose stack fulfills a condition.
  func weight(where isIncluded: ([String]) -> Bool) -> Double {
    samples.indices.reduce(0) { sum, row in
      isIncluded(functions(of: samples[row].stack)) ? sum + Double(columns[0][row]) : sum
    }
  }

  /// The share of samples with a function as their leaf, in percent.
  func leafShare(_ name: String) -> Double {
    weight { $0.first == name } / weight { _ in true } * 100
  }

  /// CPU time that was sampled, for one unit that was used.
  var delivered: Double {
    let accounting = SampleAccounting(self)
    return Double(accounting.sampledNanoseconds ?? 0) / Double(accounting.cpuNanoseconds ?? 0)
  }
}
