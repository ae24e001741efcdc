import Foundation
import Testing

/// `Tests/Fixtures/HandlerAudit/audit.c` around the agent's handler, and what it counted.
///
/// With `WICK_AUDIT=FILE` in the environment of the tests every program that they preload the agent
/// into is audited, and `HandlerAuditTests` judges all of it.
enum HandlerAudit {
  /// The report of report.h.
  struct Report {
    var runs: UInt64
    var errnoChanges: UInt64
    var mostStackBytes: UInt64
    var unwatchedThreads: UInt64
    /// Times by system call number.
    var forbiddenCalls: [Int: UInt64]
    var permittedCalls: [Int: UInt64]
    /// Times by place in audit.c's list of functions.
    var functions: [Int: UInt64]

    init(_ file: URL) throws {
      let data = try Data(contentsOf: file)
      let words = (0..<data.count / 8).map { index in
        data[(8 * index)..<(8 * index + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
      try #require(words.count == 4 + 512 + 512 + 64)
      func table(_ range: Range<Int>) -> [Int: UInt64] {
        Dictionary(
          uniqueKeysWithValues: words[range].enumerated().filter { $1 > 0 }.map { ($0, $1) })
      }
      (runs, errnoChanges) = (words[0], words[1])
      (mostStackBytes, unwatchedThreads) = (words[2], words[3])
      forbiddenCalls = table(4..<516)
      permittedCalls = table(516..<1028)
      functions = table(1028..<1092)
    }
  }

  /// The audit's library, compiled at first use.
  static let library: URL = compile("audit", as: "libaudit.so")

  /// Compiles a source of the fixture.
  static func compile(_ name: String, as product: String) -> URL {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/HandlerAudit")
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wick-audit-\(ProcessInfo.processInfo.processIdentifier)")
    let library = folder.appending(path: product)
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let outcome = try? Host.run(
      "/usr/bin/env",
      [
        "clang", "-std=c2x", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
        "-Wno-uninitialized", "-fPIC", "-shared", "-fno-builtin", "-o", library.path,
        fixtures.appending(path: "\(name).c").path,
      ])
    guard outcome?.exitCode == 0 else {
      Issue.record("cannot compile the audit: \(outcome?.errors ?? "no clang")")
      return library
    }
    return library
  }

  /// What to preload for the agent: the audit comes first if the environment asks for it.
  static var preload: String {
    ProcessInfo.processInfo.environment["WICK_AUDIT"] == nil
      ? Host.agent.path : "\(library.path):\(Host.agent.path)"
  }
}
