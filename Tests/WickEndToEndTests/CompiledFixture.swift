import Foundation

/// Programs and libraries of `Tests/Fixtures/Torture`, compiled once for all tests of a run.
enum CompiledFixture {
  struct CompilationFailed: Error {
    var message: String
  }

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Torture")

  /// Where the products are: beside the test bundle's, so that a later run finds them stale and
  /// writes them anew.
  private static let products = Host.products.appending(path: "WickTorture")

  /// The C++ program that does everything at once.
  static let torture = Result {
    try compile(
      "g++", ["-std=c++20", "-O2", "-g", "-Wall", "-Wextra", "-Werror"], "torture.cpp", "torture")
  }

  /// A library with code of its own; and the same at another path.
  static let library = Result { try compile("clang", shared, "library.c", "library.so") }
  static let otherLibrary = Result { try compile("clang", shared, "library.c", "other.so") }

  /// A library whose constructor makes threads.
  static let threadsLibrary = Result {
    try compile("clang", shared, "threads-library.c", "threads.so")
  }

  private static let shared = [
    "-std=c2x", "-O2", "-g", "-fPIC", "-shared", "-Wl,--build-id", "-Wall", "-Wextra", "-Werror",
  ]

  private static func compile(
    _ compiler: String, _ flags: [String], _ source: String, _ product: String
  ) throws -> String {
    try FileManager.default.createDirectory(at: products, withIntermediateDirectories: true)
    let path = products.appending(path: product).path
    let outcome = try Host.run(
      "/usr/bin/env",
      [compiler] + flags + [sources.appending(path: source).path, "-o", path])
    guard outcome.exitCode == 0 else { throw CompilationFailed(message: outcome.errors) }
    return path
  }
}
