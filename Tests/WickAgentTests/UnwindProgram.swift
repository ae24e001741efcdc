import Foundation
import Testing

/// A C program of `Tests/Fixtures/Unwind`, compiled with the agent's unwinder.
struct UnwindProgram {
  let executable: String

  /// What a run gave.
  struct Output {
    let status: Int32
    let text: String
    let errors: String
  }

  struct CompilationFailed: Error {
    let message: String
  }

  /// Compiles `name`.c, with optimization and without frame pointers.
  init(_ name: String, libraries: [String] = []) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let fixtures = root.appending(path: "Tests/Fixtures/Unwind")
    let agent = root.appending(path: "Sources/InProcess/CWickAgent")
    let sources = try FileManager.default.contentsOfDirectory(atPath: agent.path)
      .filter { ($0.hasPrefix("cfi") || $0.hasPrefix("unwind")) && $0.hasSuffix(".c") }
      .sorted().map { agent.appending(path: $0).path }
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    executable = folder.appending(path: name).path
    let result = try Self.run(
      "clang",
      [
        "-std=c2x", "-D_GNU_SOURCE", "-O2", "-g", "-fomit-frame-pointer", "-Wall", "-Wextra",
        "-Werror", "-I\(agent.path)", "-I\(fixtures.path)",
        "-I\(root.appending(path: "Sources/Shared/CWickFormat/include").path)",
        fixtures.appending(path: "\(name).c").path,
      ] + sources + ["-o", executable] + libraries.map { "-l\($0)" })
    guard result.status == 0 else { throw CompilationFailed(message: result.errors) }
  }

  /// Gives the executable's folder back.
  func remove() {
    try? FileManager.default.removeItem(
      at: URL(filePath: executable).deletingLastPathComponent())
  }

  func run(_ arguments: [String], libraryPath: String? = nil) throws -> Output {
    try Self.run(executable, arguments, libraryPath: libraryPath)
  }

  /// Runs a program of PATH, or at a path, to its end.
  static func run(_ program: String, _ arguments: [String], libraryPath: String? = nil) throws
    -> Output
  {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let libraryPath {
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["LD_LIBRARY_PATH": libraryPath]) { $1 }
    }
    // Files, not pipes: both may be larger than a pipe holds.
    let folder = FileManager.default.temporaryDirectory
    let paths = [UUID(), UUID()].map { folder.appending(path: "wick-\($0.uuidString)") }
    defer { paths.forEach { try? FileManager.default.removeItem(at: $0) } }
    for path in paths { try Data().write(to: path) }
    process.standardOutput = try FileHandle(forWritingTo: paths[0])
    process.standardError = try FileHandle(forWritingTo: paths[1])
    try process.run()
    process.waitUntilExit()
    let texts = try paths.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Output(status: process.terminationStatus, text: texts[0], errors: texts[1])
  }
}
