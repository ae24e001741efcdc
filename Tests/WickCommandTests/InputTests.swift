import Foundation
import Testing

/// What is read: recordings, perf script text and folded stacks, whole, damaged and foreign.
@Suite struct InputTests {
  private static let stacks = "main;work;hot 70\nmain;work;cold 20\nmain;idle 10\n"

  private func recording(in folder: URL) throws -> URL {
    let file = folder.appending(path: "probe.wick")
    let outcome = try Command.run(
      "record", "-F", "997", "-o", file.path, "--", Command.probe, "burn", "0.2", folder: folder)
    try #require(outcome.exitCode == 0, "\(outcome.errors)")
    return file
  }

  @Test func foldedStacksComeInAndGoOut() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "folded", "-", folder: folder, input: Data(Self.stacks.utf8))
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == "main;idle 10\nmain;work;cold 20\nmain;work;hot 70\n")
      let report = try Command.run("report", "-", folder: folder, input: Data(Self.stacks.utf8))
      #expect(report.output.contains("hot"))
      let graph = try Command.run(
        "flamegraph", "-o", "-", "-", folder: folder, input: Data(Self.stacks.utf8))
      #expect(graph.output.contains("data-total=\"100\""))
    }
  }

  @Test func perfScriptTextComesIn() throws {
    let text = """
      app 12/12 [000] 1.000001: 1001001 cpu-clock: 
      \tffffffff816b47d6 do_open+0x216 ([kernel.kallsyms])
      \t          401126 work(int)+0x16 (/bin/app)
      \t          401200 main+0x10 (/bin/app)

      app 12/12 [000] 1.001001: 1001001 cpu-clock: 
      \t          401126 work(int)+0x16 (/bin/app)
      \t          401200 main+0x10 (/bin/app)


      """
    try Command.withFolder { folder in
      let outcome = try Command.run("folded", "-", folder: folder, input: Data(text.utf8))
      #expect(outcome.exitCode == 0)
      #expect(outcome.errors == "")
      #expect(outcome.output == "app;main;work(int) 1\napp;main;work(int);do_open 1\n")
      let graph = try Command.run(
        "flamegraph", "--column", "cpu-clock", "-o", "-", "-", folder: folder,
        input: Data(text.utf8))
      #expect(graph.output.contains("data-total=\"2002002\""))
      let report = try Command.run("report", "-", folder: folder, input: Data(text.utf8))
      #expect(report.output.contains("do_open"))
    }
  }

  @Test func newestRecordingIsTheDefault() throws {
    try Command.withFolder { folder in
      let none = try Command.run("report", folder: folder)
      #expect(none.exitCode == 3)
      #expect(none.errors.contains("there is no recording in this folder"))
      _ = try recording(in: folder)
      let outcome = try Command.run("report", folder: folder)
      #expect(outcome.exitCode == 0)
      #expect(outcome.errors == "reading probe.wick\n")
      #expect(outcome.output.contains("burn_leaf"))
      let graph = try Command.run("flamegraph", folder: folder)
      #expect(graph.exitCode == 0)
      #expect(try Command.names(in: folder) == ["probe.svg", "probe.wick"])
    }
  }

  @Test func whatIsNoRecordingIsSaid() throws {
    try Command.withFolder { folder in
      let file = folder.appending(path: "x.wick")
      let cases: [(Data, String)] = [
        (Data(), "is empty"),
        (Data([0x89]) + Data("WICK\r\n".utf8), "ends at byte 7, within its header"),
        (Data([0x89]) + Data("WICK\r\n".utf8) + Data([0x1a, 1, 0, 0]), "within its header"),
        (
          Data([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0]),
          "neither a recording, nor perf script text, nor folded stacks"
        ),
      ]
      for (bytes, line) in cases {
        try bytes.write(to: file)
        let outcome = try Command.run("report", file.path, folder: folder)
        #expect(outcome.exitCode == 4)
        #expect(outcome.errors.contains(line), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.output.isEmpty)
      }
    }
  }

  @Test func missingFilesAndFoldersAreSaid() throws {
    try Command.withFolder { folder in
      for path in ["nowhere.wick", ".", "/dev/null"] {
        let outcome = try Command.run("report", path, folder: folder)
        #expect(outcome.exitCode == 3)
        #expect(outcome.errors.hasPrefix("wick: cannot read \(path): "))
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
    }
  }

  @Test func cutRecordingIsShownAsFarAsItGoes() throws {
    try Command.withFolder { folder in
      let file = try recording(in: folder)
      let bytes = try Data(contentsOf: file)
      try bytes.prefix(bytes.count - 40).write(to: file)
      for arguments in [["report"], ["folded"], ["flamegraph", "-o", "-"]] {
        let outcome = try Command.run(Command.wick, arguments + [file.path], folder: folder)
        #expect(outcome.exitCode == 4)
        #expect(outcome.complaints.count == 1)
        #expect(outcome.errors.contains("cut short at byte"))
        #expect(outcome.output.contains("burn_leaf"))
      }
    }
  }

  @Test func outputsThatCannotBeAreSaid() throws {
    try Command.withFolder { folder in
      let input = Data(Self.stacks.utf8)
      for path in ["/nonexistent/x.svg", ".", "/dev/full"] {
        let outcome = try Command.run("flamegraph", "-", "-o", path, folder: folder, input: input)
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.hasPrefix("wick: cannot write \(path): "), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
      #expect(try Command.names(in: folder).isEmpty)
    }
  }

  @Test func closedPipeIsSilent() throws {
    try Command.withFolder { folder in
      let lines = (0..<50_000).map { "main;function\($0) 1\n" }.joined()
      let file = folder.appending(path: "many.folded")
      try Data(lines.utf8).write(to: file)
      let outcome = try Command.run(
        "/bin/bash",
        ["-c", "\"$0\" folded \"$1\" | head -1; echo ${PIPESTATUS[0]}", Command.wick, file.path],
        folder: folder)
      #expect(outcome.output == "main;function0 1\n141\n")
      #expect(outcome.errors.isEmpty)
    }
  }

  @Test func namesReachTheTerminalHarmless() throws {
    try Command.withFolder { folder in
      let hostile = "main;\u{1b}]0;owned\u{7};\u{1b}[31mred 5\n"
      for subcommand in ["report", "folded"] {
        let outcome = try Command.run(
          subcommand, "-", folder: folder, input: Data(hostile.utf8))
        #expect(outcome.exitCode == 0)
        #expect(!outcome.output.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
      }
    }
  }
}
