import Foundation
import Glibc
import Testing

/// `wick record`: the command behaves as without it, and what was recorded is written.
@Suite(.serialized) struct RecordTests {
  @Test func outputsAreWrittenByExtensionAndNothingElse() throws {
    try Command.withFolder { folder in
      try Data("old".utf8).write(to: folder.appending(path: "a.svg"))
      let outcome = try Command.run(
        "record", "-F", "997", "-o", "a.wick", "-o", "a.folded", "-o", "a.svg", "--",
        Command.probe, "burn", "0.2", folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(try Command.names(in: folder) == ["a.folded", "a.svg", "a.wick"])
      let svg = try String(contentsOf: folder.appending(path: "a.svg"), encoding: .utf8)
      #expect(svg.contains("burn_leaf"))
      #expect(outcome.errors.contains("next: wick report a.wick"))
      #expect(!outcome.errors.contains("\u{1b}"))
    }
  }

  @Test func defaultIsOneRecordingHere() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run("record", Command.probe, "burn", "0.2", folder: folder)
      #expect(outcome.exitCode == 0)
      let names = try Command.names(in: folder)
      #expect(names.count == 1)
      #expect(
        try #require(names.first).wholeMatch(of: /wick-WickAgentProbe-\d{8}-\d{6}\.wick/) != nil)
      #expect(outcome.errors.contains(try #require(names.first)))
    }
  }

  @Test func streamsAndArgumentsAreTheCommandsOwn() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "record", "-o", "x.wick", "--", "/bin/sh", "-c",
        "cat; echo \"$1\" \"$LD_PRELOAD\" | cut -d: -f1 | head -c 5; \"$0\" burn 0.1",
        Command.probe,
        "--help", folder: folder, input: Data("from stdin\n".utf8))
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.output == "from stdin\n--hel")
    }
  }

  @Test func exitCodesAreKept() throws {
    try Command.withFolder { folder in
      let seven = try Command.run(
        "record", "-o", "x.wick", "--", "/bin/sh", "-c", "\"$0\" burn 0.1; exit 7", Command.probe,
        folder: folder)
      #expect(seven.exitCode == 7)
      #expect(FileManager.default.fileExists(atPath: folder.appending(path: "x.wick").path))
      let killed = try Command.run(
        "record", "-F", "997", "-o", "x.wick", "--", "/bin/bash", "-c",
        "for ((i = 0; i < 100000; i++)); do :; done; kill -SEGV $$", folder: folder)
      #expect(killed.exitCode == 128 + SIGSEGV)
      #expect(!killed.isSignaled)
    }
  }

  @Test func childrenAreRecordedUnlessLeftOut() throws {
    try Command.withFolder { folder in
      let both = try Command.run(
        "record", "-F", "997", "-o", "x.folded", "--", Command.probe, "spawn", folder: folder)
      #expect(both.exitCode == 0)
      #expect(both.errors.contains("2 processes"))
      let one = try Command.run(
        "record", "--no-children", "-F", "997", "-o", "x.folded", "--", Command.probe, "spawn",
        folder: folder)
      #expect(one.exitCode == 0)
      #expect(!one.errors.contains("processes"))
    }
  }

  @Test func signalsEndTheCommandAndTheRecordingIsWhole() throws {
    try Command.withFolder { folder in
      for number in [SIGINT, SIGTERM] {
        let (process, finish) = try Command.start(
          Command.wick, ["record", "-o", "x.wick", "--", Command.probe, "forever"], folder: folder)
        usleep(700_000)
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        let outcome = try finish()
        #expect(outcome.exitCode == 128 + number)
        #expect(outcome.errors.contains("wrote x.wick"))
        #expect(try Command.names(in: folder) == ["x.wick"])
        let report = try Command.run("report", "x.wick", folder: folder)
        #expect(report.output.contains("burn_leaf"))
        #expect(report.output.contains("killed"))
        #expect(report.exitCode == 0)
        #expect(outcome.complaints.isEmpty)
      }
    }
  }

  @Test func secondInterruptLeavesAndKeepsWhatIsThere() throws {
    try Command.withFolder { folder in
      let (process, finish) = try Command.start(
        Command.wick,
        [
          "record", "--no-children", "-o", "x.wick", "--", "/bin/bash", "-c",
          "trap '' INT; for i in {1..30}; do sleep 0.1; done",
        ],
        folder: folder)
      usleep(500_000)
      kill(process.processIdentifier, SIGINT)
      usleep(200_000)
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 130)
      let raw = try Command.names(in: folder).filter { $0.hasPrefix(".wick-") }
      #expect(raw.count == 1)
      #expect(outcome.errors.contains(try #require(raw.first)))
      // The command was left to itself: its recording is there.
      let files = try Command.names(in: folder.appending(path: try #require(raw.first)))
      #expect(files.count == 1)
    }
  }

  @Test func durationEndsTheCommand() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "record", "-d", "1", "-o", "x.wick", "--", Command.probe, "forever", folder: folder)
      #expect(outcome.exitCode == 128 + SIGTERM)
      #expect(outcome.errors.contains("wrote x.wick"))
    }
  }

  @Test func nothingToSampleIsSaid() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "record", "-F", "1", "-o", "x.wick", "--", "/bin/true", folder: folder)
      #expect(outcome.exitCode == 1)
      #expect(outcome.errors.contains("there are no samples: the command used only"))
    }
  }

  @Test func whatCannotBeRecordedIsRefusedBefore() throws {
    try Command.withFolder { folder in
      let plain = folder.appending(path: "plain")
      try Data("text".utf8).write(to: plain)
      let script = folder.appending(path: "script")
      try Data("#!/nonexistent/interpreter\n".utf8).write(to: script)
      let other = folder.appending(path: "other")
      try Data("neither\n".utf8).write(to: other)
      for file in [script, other] {
        try FileManager.default.setAttributes(
          [.posixPermissions: 0o755], ofItemAtPath: file.path)
      }
      let cases = [
        ("no-such-program-here", "there is no program 'no-such-program-here' in PATH"),
        ("./nowhere", "No such file or directory"), ("./plain", "is it executable"),
        (".", "there is no program"), ("./", "it is not a file"),
        ("./script", "its interpreter /nonexistent/interpreter is missing"),
        ("./other", "neither an ELF program nor a script"),
      ]
      for (program, line) in cases {
        let outcome = try Command.run("record", "--", program, folder: folder)
        #expect(outcome.exitCode == 3)
        #expect(outcome.errors.contains(line), "\(program): \(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
      #expect(try Command.names(in: folder) == ["other", "plain", "script"])
    }
  }

  @Test func staticAndSetUIDProgramsAreRefused() throws {
    try Command.withFolder { folder in
      let source = folder.appending(path: "main.c")
      try Data("int main(void) { return 0; }\n".utf8).write(to: source)
      let compiled = try Command.run(
        "/usr/bin/cc", ["-static", "-o", "static", "main.c"], folder: folder)
      try #require(compiled.exitCode == 0)
      let outcome = try Command.run("record", "--", "./static", folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors.contains("statically linked"))

      guard getuid() == 0 else {
        print("only root can make a set-uid program of another user: not tested")
        return
      }
      let path = folder.appending(path: "su").path
      try FileManager.default.copyItem(atPath: Command.probe, toPath: path)
      try #require(chown(path, 65534, 65534) == 0 && chmod(path, 0o4755) == 0)
      let refused = try Command.run("record", "--", "./su", "burn", folder: folder)
      #expect(refused.exitCode == 3)
      #expect(refused.errors.contains("is set-uid"))
    }
  }

  @Test func scriptsAreRecordedThroughTheirInterpreter() throws {
    try Command.withFolder { folder in
      let script = folder.appending(path: "run.sh")
      try Data("#!/usr/bin/env bash\n\"$1\" burn 0.2\n".utf8).write(to: script)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
      let outcome = try Command.run(
        "record", "-F", "997", "-o", "x.folded", "--", "./run.sh", Command.probe, folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      let folded = try String(contentsOf: folder.appending(path: "x.folded"), encoding: .utf8)
      #expect(folded.contains("burn_leaf"))
    }
  }

  @Test func doctorKnowsGoodAndBad() throws {
    try Command.withFolder { folder in
      let good = try Command.run("doctor", Command.probe, folder: folder)
      #expect(good.exitCode == 0)
      #expect(good.output.contains("perf engine"))
      #expect(good.output.contains("frame pointers"))
      let bad = try Command.run("doctor", "./nowhere", folder: folder)
      #expect(bad.exitCode == 3)
      #expect(bad.output.contains("No such file or directory"))
    }
  }
}
