import Foundation
import Testing
import WickTestPrograms

/// Programs of `Tests/Fixtures/Allocations`, compiled once for all tests of a run.
enum AllocationFixture {
  static let known = Result { try compile("known.c", to: "known", framePointers) }
  static let knownWithoutFramePointers = Result {
    try compile("known.c", to: "known-nofp", ["-fomit-frame-pointer"])
  }
  /// With the agent in it, and all symbols where the loader finds them: before a preloaded copy's.
  static let knownWithAgent = Result {
    let root = sources.appending(path: "../../..").standardizedFileURL
    let agent = root.appending(path: "Sources/InProcess/CWickAgent")
    let files = try FileManager.default.contentsOfDirectory(atPath: agent.path)
      .filter { $0.hasSuffix(".c") }.sorted().map { agent.appending(path: $0).path }
    let headers = [agent.path, agent.path + "/include"].map { "-I\($0)" }
    let format = "-I\(root.path)/Sources/Shared/CWickFormat/include"
    return try compile(
      "known.c", to: "known-agent", framePointers + ["-rdynamic", format] + headers + files)
  }
  static let paths = Result { try compile("paths.c", to: "paths", framePointers) }
  static let race = Result { try compile("race.c", to: "race", framePointers) }
  static let sampled = Result { try compile("sampled.c", to: "sampled", framePointers) }

  static let phases = Result { try compile("phases.c", to: "phases", framePointers) }

  static let hostile = Result {
    _ = try compile("plugin.c", to: "plugin.so", shared)
    let rival = shared + ["-fsemantic-interposition", "-Wl,-z,lazy"]
    _ = try compile("rival.c", to: "rival.so", rival)
    _ = try compile("relocated.c", to: "relocated.so", shared + ["-Wl,-z,notext"])
    return try compile("hostile.c", to: "hostile", framePointers)
  }
  /// The same, whose allocator may be called in handlers.
  static let hostileWithOwnAllocator = Result {
    _ = try compile("bump.c", to: "libbump.so", shared)
    return try compile(
      "hostile.c", to: "hostile-bump",
      framePointers + ["-L\(folder.path)", "-lbump", "-Wl,-rpath,$ORIGIN"])
  }

  /// C++, with all symbols bound at the start and their slots read-only.
  static let classesInCPlusPlus = Result {
    try run(
      ["g++", "-std=c++20", "-O2", "-fno-omit-frame-pointer", "-Wl,-z,now,-z,relro"],
      "classes.cpp", "classes-cpp")
  }
  static let classes = Result { try compileSwift("classes", to: "classes-dynamic") }
  static let references = Result { try compileSwift("references", to: "references") }
  static let staticClasses = Result {
    try compileSwift("classes", to: "classes-static", ["-static-stdlib"])
  }
  /// Without a name of its own in it.
  static let strippedStaticClasses = Result {
    let path = folder.appending(path: "classes-stripped").path
    return try run(["strip", "-s", "-o", path, try staticClasses.get()], for: path)
  }

  private static let framePointers = ["-fno-omit-frame-pointer"]
  private static let shared = ["-fPIC", "-shared"]

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Allocations")
  private static let folder = Program.products.appending(path: "WickAllocationFixtures")

  /// Without builtins and tail calls: no allocation is left out, no place is missing in a stack.
  private static func compile(
    _ source: String, to product: String, _ flags: [String]
  ) throws -> String {
    try run(
      [
        "clang", "-std=c2x", "-D_GNU_SOURCE", "-O1", "-fno-builtin", "-fno-optimize-sibling-calls",
      ], source, product, flags)
  }

  private static func compileSwift(
    _ name: String, to product: String, _ flags: [String] = []
  ) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: product).path
    let words = ["swiftc", "-O", "-g", "-module-name", name] + flags
    return try run(words + [sources.appending(path: "\(name).swift").path, "-o", path], for: path)
  }

  private static func run(
    _ compiler: [String], _ source: String, _ product: String, _ flags: [String] = []
  ) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: product).path
    let common = ["-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-Wl,--build-id"]
    let files = [sources.appending(path: source).path, "-o", path]
    // Libraries stand behind what needs them.
    return try run(compiler + common + files + flags, for: path)
  }

  private static func run(_ words: [String], for path: String) throws -> String {
    let run = try Program.run("/usr/bin/env", words, folder: folder)
    try #require(run.exitCode == 0, "\(words): \(run.output)")
    return path
  }
}
