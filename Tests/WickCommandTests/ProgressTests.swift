import Foundation
import Testing

/// What is said meanwhile, on a terminal and nowhere else.
@Suite struct ProgressTests {
  /// A pipe that gives its stacks after a while.
  private static func report(after seconds: Double, of wick: String = Command.wick) -> String {
    "'\(wick)' report <(sleep \(seconds); printf 'main;work 3\\n') >report.txt"
  }

  @Test func slowReadingIsSaidOnATerminalAndErased() throws {
    try Command.withFolder { folder in
      let command = Self.report(after: 2.5)
      let outcome = try Command.run(
        "/usr/bin/script",
        ["-qec", "exec env TERM=xterm bash -c \"\(command)\"", "/dev/null"], folder: folder)
      #expect(outcome.exitCode == 0)
      let written = outcome.output
      #expect(written.contains("\rreading /dev/fd/"))
      #expect(written.contains(/… [1-9] s/))
      #expect(written.hasSuffix("\r\u{1b}[K"))
      // One line: it is renewed, never followed by another.
      #expect(!written.contains("\n"))
    }
  }

  @Test func quickReadingSaysNothing() throws {
    try Command.withFolder { folder in
      let command = Self.report(after: 0.1)
      let outcome = try Command.run(
        "/usr/bin/script",
        ["-qec", "exec env TERM=xterm bash -c \"\(command)\"", "/dev/null"], folder: folder)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == "")
    }
  }

  @Test func pipesAndFilesNeverSeeIt() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "/bin/bash", ["-c", Self.report(after: 1.8)], folder: folder)
      #expect(outcome.exitCode == 0)
      #expect(outcome.errors == "")
    }
  }
}
