import Foundation
import Testing

/// Whole programs, interrupted some thousand times a second: the agent's walks against libunwind's of
/// the same registers, by `Tests/Fixtures/Unwind/walk-oracle.c` preloaded.
@Suite(.serialized) final class WalkOracleTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private let folder: URL
  private var library: String { folder.appending(path: "oracle.so").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try compileLibrary(of: ["walk-oracle.c"])
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  private func compileLibrary(of fixtures: [String]) throws {
    let agent = Self.root.appending(path: "Sources/InProcess/CWickAgent")
    let sources = try FileManager.default.contentsOfDirectory(atPath: agent.path)
      .filter { ($0.hasPrefix("cfi") || $0.hasPrefix("unwind")) && $0.hasSuffix(".c") }
      .sorted().map { agent.appending(path: $0).path }
    try compile(
      [
        "clang", "-std=c2x", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra",
        "-Werror", "-I\(agent.path)", "-I\(Self.root.path)/Tests/Fixtures/Unwind",
        "-I\(Self.root.path)/Sources/Shared/CWickFormat/include",
      ] + fixtures.map { "\(Self.root.path)/Tests/Fixtures/Unwind/\($0)" } + sources
        + ["-o", library, "-lunwind"])
  }

  private func compile(_ command: [String]) throws {
    let result = try UnwindProgram.run(command[0], Array(command.dropFirst()))
    try #require(result.status == 0, "\(result.errors)")
  }

  /// Compiles a program of `Tests/Fixtures/UnwindPrograms`.
  private func program(_ source: String, _ compiler: String...) throws -> String {
    let path = folder.appending(path: "program").path
    try compile(
      compiler + ["-o", path, "\(Self.root.path)/Tests/Fixtures/UnwindPrograms/\(source)"])
    return path
  }

  /// Runs a program under the oracle and gives its counts.
  private func counts(
    _ command: [String], periodMicroseconds: Int = 500
  ) throws -> (counts: [String: Int], errors: String) {
    let file = folder.appending(path: "counts").path
    let result = try UnwindProgram.run(
      "env",
      [
        "LD_PRELOAD=\(library)", "WALK_ORACLE=\(file)", "WALK_ORACLE_US=\(periodMicroseconds)",
      ] + command)
    try #require(result.status == 0, "\(result.errors)")
    let words = try String(contentsOfFile: file, encoding: .utf8).split { " \n".contains($0) }
    var counts: [String: Int] = [:]
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      counts[String(words[index])] = Int(words[index + 1])
    }
    return (counts, result.errors)
  }

  /// Expects that nothing is left unexplained, and how many walks are complete at least.
  private func expect(
    _ result: (counts: [String: Int], errors: String), leastSamples: Int,
    completeOf10000 least: Int, _ name: String
  ) throws {
    let counts = result.counts
    let samples = try #require(counts["samples"])
    #expect(samples >= leastSamples, "\(name)")
    #expect(counts["unexplained"] == 0, "\(name): \(result.errors)")
    let complete = try #require(counts["complete"])
    #expect(complete * 10_000 >= samples * least, "\(name): \(complete) of \(samples) complete")
  }

  @Test(arguments: ["tail", "library", "leaf", "signal"])
  func stacksOfManyShapes(mode: String) throws {
    let shapes = try program("shapes.c", "clang", "-O2", "-fomit-frame-pointer")
    let result = try counts([shapes, mode, "1.5"])
    try expect(result, leastSamples: 1000, completeOf10000: 10_000, mode)
  }

  @Test func deepRecursionIsCutAndMarkedNotLost() throws {
    let shapes = try program("shapes.c", "clang", "-O2", "-fomit-frame-pointer")
    // libunwind takes a quarter of a millisecond for a walk that long.
    let result = try counts([shapes, "deep", "2"], periodMicroseconds: 3000)
    try expect(result, leastSamples: 200, completeOf10000: 0, "deep")
    let deep = try #require(result.counts["deep"])
    #expect(deep > 100)
    #expect(result.counts["truncated"] == deep)
    #expect(try #require(result.counts["equal"]) + deep == result.counts["samples"])
  }

  @Test func exceptionsInFlight() throws {
    let thrower = try program("throw.cpp", "g++", "-O2", "-fomit-frame-pointer")
    let result = try counts([thrower, "2"])
    // On the last instructions before a handler libgcc's own frames are overwritten: 0.3 %.
    try expect(result, leastSamples: 1000, completeOf10000: 9900, "throw")
    #expect(result.counts["ours"] == 0)
  }

  @Test(arguments: [[], ["-Xcc", "-fno-omit-frame-pointer"]])
  func foundationWork(flags: [String]) throws {
    let path = folder.appending(path: "program").path
    let source = "\(Self.root.path)/Tests/Fixtures/UnwindPrograms/foundation.swift"
    try compile(["swiftc", "-O"] + flags + ["-o", path, source])
    let result = try counts([path, "3"])
    try expect(result, leastSamples: 2000, completeOf10000: 9990, "Foundation \(flags)")
  }

  @Test func realProgramThatNobodyHereWrote() throws {
    let script = """
      my %h; for my $i (1..3000000) { $h{$i * 7919 % 1000} .= chr($i % 26 + 65); } \
      print scalar(sort { length($a) <=> length($b) } values %h);
      """
    let result = try counts(["perl", "-e", script])
    try expect(result, leastSamples: 300, completeOf10000: 9990, "perl")
  }

  /// Walks from calls, each going on from the one before, find what walks find that begin anew.
  @Test func walksFromCallsGoOnFromTheLast() throws {
    try compileLibrary(of: ["walk-oracle.c", "call-oracle.c"])
    let path = folder.appending(path: "foundation").path
    let programs = "\(Self.root.path)/Tests/Fixtures/UnwindPrograms"
    try compile(["swiftc", "-O", "-o", path, "\(programs)/foundation.swift"])
    let script = "my %h; for my $i (1..300000) { $h{$i * 7919 % 1000} .= chr(65); } print keys %h"
    let commands = [
      ([path, "1"], 10_000), (["perl", "-e", script], 5000),
      (["bash", "-c", "for i in $(seq 3000); do x=${i}a; done"], 10_000),
      (["g++", "-fsyntax-only", "\(programs)/throw.cpp"], 100),
    ]
    for (command, leastCalls) in commands {
      let (counts, errors) = try counts(command, periodMicroseconds: 0)
      let calls = try #require(counts["calls"])
      #expect(calls >= leastCalls, "\(command[0])")
      #expect(counts["differing"] == 0, "\(command[0]): \(errors)")
      print("\(command[0]): \(calls) walks from calls")
    }
  }
}
