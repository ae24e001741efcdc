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

  /// Compiles `name`.c for aarch64, to be run by the emulator.
  init(aarch64 name: String, flags: [String] = ["-fomit-frame-pointer"]) throws {
    let root = Self.root
    let fixtures = root.appending(path: "Tests/Fixtures/Unwind")
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    executable = folder.appending(path: name).path
    let result = try Self.run(
      "clang",
      Self.crossFlags + flags + [
        "-I\(fixtures.path)", fixtures.appending(path: "\(name).c").path,
      ] + (try Self.agentSources { $0.hasPrefix("cfi") || $0.hasPrefix("unwind") }) + [
        "-o", executable,
      ])
    guard result.status == 0 else { throw CompilationFailed(message: result.errors) }
  }

  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Paths of the agent's C sources whose names are wanted.
  static func agentSources(where isWanted: (String) -> Bool = { _ in true }) throws -> [String] {
    let agent = root.appending(path: "Sources/InProcess/CWickAgent")
    return try FileManager.default.contentsOfDirectory(atPath: agent.path)
      .filter { $0.hasSuffix(".c") && isWanted($0) }
      .sorted().map { agent.appending(path: $0).path }
  }

  /// clang's, with Debian's cross libraries (libc6-dev-arm64-cross, gcc-aarch64-linux-gnu).
  static let crossFlags = [
    "--target=aarch64-linux-gnu", "-isystem", "/usr/aarch64-linux-gnu/include", "-fuse-ld=lld",
    "-B/usr/lib/gcc-cross/aarch64-linux-gnu/12", "-L/usr/aarch64-linux-gnu/lib", "-std=c2x",
    "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
    "-I\(root.path)/Sources/InProcess/CWickAgent",
    "-I\(root.path)/Sources/InProcess/CWickAgent/include",
    "-I\(root.path)/Sources/Shared/CWickFormat/include",
  ]

  /// Runs a program for aarch64 in the emulator.
  func emulate(_ arguments: [String]) throws -> Output {
    try Self.run("qemu-aarch64", ["-L", "/usr/aarch64-linux-gnu", executable] + arguments)
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
