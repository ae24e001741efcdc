import Foundation
import Glibc
import Testing

/// What a launched command gets and what becomes of its recording when something is in the way.
@Suite(.serialized) struct LaunchTests {
  @Test func bytesThatAreNoTextReachTheCommand() throws {
    try Command.withFolder { folder in
      let script = """
        export X=$'\\xff\\xfe'
        "$0" record -o x.folded -F 997 -- /bin/bash -c \
        'for ((i = 0; i < 50000; i++)); do :; done; printf %s "$0$X" | od -An -tx1' $'\\xe9'
        """
      let outcome = try Command.run(
        "/bin/bash", ["-c", script, Command.wick], folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.output == " e9 ff fe\n")
    }
  }

  @Test func failureOfTheCommandCountsMoreThanNoSamples() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "record", "-F", "1", "-o", "x.wick", "--", "/bin/sh", "-c", "exit 7", folder: folder)
      #expect(outcome.exitCode == 7)
      #expect(outcome.errors.contains("there are no samples"))
    }
  }

  @Test func endIsSeenWhereChildSignalsAreIgnored() throws {
    try Command.withFolder { folder in
      // Ignored signals are inherited; shells refuse to hand on an ignored SIGCHLD, so perl's
      // `exec` does it.
      let outcome = try Command.run(
        "/usr/bin/perl",
        [
          "-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV", "timeout", "20", Command.wick, "record", "-o",
          "x.wick", "-F", "997", "--", "/bin/bash", "-c",
          "for ((i = 0; i < 50000; i++)); do :; done; exit 9",
        ], folder: folder)
      #expect(outcome.exitCode == 9, "\(outcome.errors)")
    }
  }

  @Test(arguments: [SIGUSR1, SIGQUIT, SIGHUP]) func signalsArePassedOn(number: Int32) throws {
    try Command.withFolder { folder in
      let (process, finish) = try Command.start(
        Command.wick,
        [
          "record", "-o", "x.wick", "--", "/bin/bash", "-c",
          "trap 'exit 5' \(number); echo ready; while :; do :; done",
        ], folder: folder)
      usleep(700_000)
      kill(process.processIdentifier, number)
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.output == "ready\n")
      #expect(outcome.exitCode == 5)
      #expect(!outcome.isSignaled)
      #expect(outcome.errors.contains("wrote x.wick"))
    }
  }

  @Test func recordingIsKeptIfAnOutputFails() throws {
    try Command.withFolder { folder in
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: "full.svg").path, withDestinationPath: "/dev/full")
      let outcome = try Command.run(
        "record", "-F", "997", "-o", "full.svg", "--", Command.probe, "burn", "0.2",
        folder: folder)
      #expect(outcome.exitCode == 1)
      #expect(outcome.complaints.count == 1)
      #expect(outcome.errors.contains("cannot write full.svg: No space left on device"))
      let kept = try #require(try Command.names(in: folder).first { $0.hasPrefix(".wick-") })
      #expect(outcome.errors.contains("what was recorded is kept in ./\(kept)"))
      let file = try #require(try Command.names(in: folder.appending(path: kept)).first)
      let report = try Command.run("report", "\(kept)/\(file)", folder: folder)
      #expect(report.exitCode == 0)
      #expect(report.output.contains("burn_leaf"))
    }
  }

  @Test func interruptWhileOutputsAreWrittenKeepsTheRecording() throws {
    try Command.withFolder { folder in
      // Nobody reads from this pipe, so the writing takes as long as it likes.
      try #require(mkfifo(folder.appending(path: "x.svg").path, 0o600) == 0)
      let (process, finish) = try Command.start(
        Command.wick,
        ["record", "-F", "997", "-o", "x.svg", "--", Command.probe, "burn", "0.2"], folder: folder)
      usleep(1_500_000)
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 130)
      #expect(!outcome.isSignaled)
      let kept = try #require(try Command.names(in: folder).first { $0.hasPrefix(".wick-") })
      #expect(outcome.errors == "wick: left early; what was recorded is in ./\(kept)\n")
      #expect(
        try Command.names(in: folder.appending(path: kept)).contains { $0.hasSuffix(".wick") })
    }
  }

  @Test func loadersAndLibrariesThatCannotServeAreNamed() throws {
    try Command.withFolder { folder in
      try Data("int main(void) { return 0; }\n".utf8).write(to: folder.appending(path: "main.c"))
      let musl = folder.appending(path: "ld-musl-x86_64.so.1").path
      try FileManager.default.copyItem(atPath: Command.probe, toPath: musl)
      for (loader, line) in [
        ("/nonexistent/ld.so", "its loader /nonexistent/ld.so is missing"),
        (musl, "is linked with musl"),
      ] {
        let compiled = try Command.run(
          "/usr/bin/cc", ["-o", "program", "main.c", "-Xlinker", "--dynamic-linker=\(loader)"],
          folder: folder)
        try #require(compiled.exitCode == 0, "\(compiled.errors)")
        let outcome = try Command.run("record", "--", "./program", folder: folder)
        #expect(outcome.exitCode == 3)
        #expect(outcome.errors.contains(line), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
      // The folder's name has a space.
      let library = folder.appending(path: "libwick.so").path
      try Data("library".utf8).write(to: URL(fileURLWithPath: library))
      for (named, line) in [(library, "its path has a space"), ("/nonexistent", "cannot read")] {
        let outcome = try Command.run(
          "/usr/bin/env", ["WICK_LIBRARY=\(named)", Command.wick, "record", "/bin/true"],
          folder: folder)
        #expect(outcome.exitCode == 3)
        #expect(outcome.errors.contains(line), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
    }
  }

  /// Runs its arguments with perf_event_open refused, as containers do.
  private static let refusal = """
    #include <errno.h>
    #include <linux/filter.h>
    #include <linux/seccomp.h>
    #include <stddef.h>
    #include <sys/prctl.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int main(int count, char **words) {
      struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
      struct sock_fprog program = {4, filter};
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (count < 2 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 100;
      execv(words[1], words + 1);
      return 101;
    }
    """

  @Test func refusedPerfEventsAreSaidAndReplaced() throws {
    try Command.withFolder { folder in
      try Data(Self.refusal.utf8).write(to: folder.appending(path: "refuse.c"))
      let compiled = try Command.run(
        "/usr/bin/cc", ["-o", "refuse", "refuse.c"], folder: folder)
      try #require(compiled.exitCode == 0, "\(compiled.errors)")
      func run(_ words: String...) throws -> Command.Outcome {
        try Command.run(
          folder.appending(path: "refuse").path, [Command.wick] + words, folder: folder)
      }
      let automatic = try run("record", "-o", "x.wick", "--", Command.probe, "burn", "0.3")
      #expect(automatic.exitCode == 0, "\(automatic.errors)")
      #expect(automatic.errors.contains("thread CPU timers"))
      #expect(automatic.errors.contains("not used: perf task-clock, SIGTRAP: not tried, as the"))
      let wanted = try run(
        "record", "--engine", "perf", "-o", "y.wick", "--", Command.probe, "burn", "0.3")
      #expect(wanted.exitCode == 3)
      #expect(wanted.errors.contains("the engine perf is not permitted"))
      #expect(wanted.errors.split(separator: "\n").count == 1)
      #expect(try Command.names(in: folder) == ["refuse", "refuse.c", "x.wick"])
      #expect(try run("doctor").output.contains("a seccomp filter is on"))
    }
  }

  @Test func doctorSpeaksToPrograms() throws {
    struct Answer: Decodable {
      struct Finding: Decodable {
        var name: String
        var isGood: Bool
        var fact: String
      }
      struct Program: Decodable {
        var name: String
        var canBeRecorded: Bool
        var findings: [Finding]
      }
      var version: Int
      var machine: [Finding]
      var program: Program?
    }
    try Command.withFolder { folder in
      func ask(_ program: String...) throws -> (Int32, Answer) {
        let outcome = try Command.run(
          Command.wick, ["doctor", "--json"] + program, folder: folder)
        return (
          outcome.exitCode,
          try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
        )
      }
      let (code, good) = try ask(Command.probe)
      #expect(code == 0)
      #expect(good.version == 1)
      #expect(
        good.machine.map(\.name) == [
          "kernel", "agent", "allocations", "perf engine", "timer engine",
        ])
      #expect(good.machine[1].isGood && good.machine[1].fact.hasSuffix("/libwick.so"))
      #expect(good.machine[2].isGood && good.machine[2].fact.hasSuffix("/libwick-malloc.so"))
      #expect(good.program?.canBeRecorded == true)
      #expect(good.program?.findings.first { $0.name == "symbols" }?.isGood == true)
      let (missing, bad) = try ask("./nowhere")
      #expect(missing == 3)
      #expect(bad.program?.canBeRecorded == false)
      #expect(bad.program?.findings.map(\.name) == ["record"])
      #expect(try ask().1.program == nil)
    }
  }
}
