import Foundation
import Glibc
import Testing
import WickProfile

/// What is lost is little, known and said.
@Suite(.serialized) struct LossTests {
  @Test func killedProcessLosesAtMostTheLastChunk() throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "killed.wick")
      let running = try Host.start(
        "WickAgentProbe", ["forever"], environment: Host.preloading(file, "hz=997"))
      // Killed by the process's own CPU time, so that a busy machine changes nothing.
      let pid = running.process.processIdentifier
      var burned = 0.0
      while burned < 1.5 {
        usleep(5000)
        burned = cpuSeconds(of: pid)
      }
      kill(pid, SIGKILL)
      running.process.waitUntilExit()
      let profile = try Host.read(file)
      #expect(profile.origin.isIncomplete)
      #expect(profile.origin.processes.first?.endReason == nil)
      let seconds = Double(profile.total(of: 1)) / 1e9
      #expect(seconds > burned - 0.15, "\(seconds) s of \(burned) s")
    }
  }

  private func cpuSeconds(of pid: Int32) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12 else { return 0 }
    return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0))
      / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// A file system with little more room than the reserve for the last chunks, in a mount namespace of the test's own.
  @Test func fullDiskClosesTheRecordingAndTheHostLives() throws {
    let script = """
      mount -t tmpfs -o size=68k none "$1" || exit 77
      shift
      "$@"
      code=$?
      cp "$WICK_COPY_FROM" "$WICK_COPY_TO" || exit 78
      exit $code
      """
    try Host.withFolder { folder in
      let disk = folder.appending(path: "disk")
      try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
      let file = disk.appending(path: "full.wick")
      let copy = folder.appending(path: "copy.wick")
      let probe = Host.products.appending(path: "WickAgentProbe").path
      let outcome = try Host.run(
        "/usr/bin/unshare",
        [
          "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh", disk.path,
          "/usr/bin/env", "LD_PRELOAD=\(Host.agent.path)",
          "WICK=out=\(file.path),hz=10000", probe, "churn",
        ],
        environment: ["WICK_COPY_FROM": file.path, "WICK_COPY_TO": copy.path])
      guard outcome.exitCode != 1 || !outcome.errors.contains("unshare") else {
        print("no user namespaces here: the full disk is not tested")
        return
      }
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      let profile = try Host.read(copy)
      #expect(profile.origin.processes.first?.endReason == "diskFull")
      #expect(!profile.samples.isEmpty)
    }
  }

  @Test func filteredProcessIsNotAskedForPerfEventsUnlessChosen() throws {
    let (outcome, profile) = try Host.withFolder { folder in
      let file = folder.appending(path: "denied.wick")
      let outcome = try Host.run(
        "WickAgentProbe", ["without-perf", "burn", "0.5"], environment: Host.preloading(file))
      return (outcome, try Host.read(file))
    }
    #expect(outcome.exitCode == 0)
    let last = try #require(profile.origin.processes.last)
    #expect(last.info["engine"]?.contains("timer") == true)
    #expect(last.info["fallback"]?.contains("seccomp filter") == true)
    #expect(!profile.samples.isEmpty)

    let chosen = try Host.withFolder { folder in
      try Host.run(
        "WickAgentProbe", ["without-perf", "burn", "0.1"],
        environment: Host.preloading(folder.appending(path: "denied.wick"), "engine=perf"))
    }
    #expect(chosen.exitCode == 0)
    #expect(chosen.errors.contains("no way to sample works here: Operation not permitted"))
  }
}
