import Foundation
import Testing
import WickTestPrograms

/// Programs of `Tests/Fixtures/Attach`, compiled once for all tests of a run.
enum Fixture {
  static let heap = Result { try compile("heap") }
  static let calls = Result { try compile("calls") }

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Attach")

  private static func compile(_ name: String) throws -> String {
    let folder = Program.products.appending(path: "WickAttachFixtures")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: name).path
    let run = try Program.run(
      "/usr/bin/env",
      [
        "clang", "-std=c2x", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
        sources.appending(path: "\(name).c").path, "-o", path, "-lpthread",
      ], folder: folder)
    try #require(run.exitCode == 0, "\(run.output)")
    return path
  }
}
