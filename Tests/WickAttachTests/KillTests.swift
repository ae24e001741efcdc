import Foundation
import Glibc
import Testing
import WickProfile
import WickRecording
import WickTestPrograms

/// One side is killed at any moment: the other goes on.
@Suite(.serialized, .timeLimit(.minutes(30))) struct KillTests {
  /// How often each side is killed.
  private static let count = AttachedTarget.cycles == 10 ? 10 : AttachedTarget.cycles / 2

  private func start(in folder: URL) throws -> Program {
    let program = try Program(try Fixture.heap.get(), ["3"], folder: folder)
    try program.waitFor("ready\n")
    return program
  }

  private func attach(_ pid: pid_t, _ options: [String], in folder: URL) throws -> Program {
    let program = try Program(
      "wick", ["attach", "\(pid)", "-o", "killed.wick"] + options, folder: folder)
    program.closeInput()
    return program
  }

  /// Recordings in a folder and in the folders of sessions that were not finished.
  private func recordings(in folder: URL) -> [URL] {
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "wick" }
  }

  /// What was written is read, as far as it goes.
  private func expectReadable(_ files: [URL], in folder: URL) throws {
    for file in files {
      let bytes = try Data(contentsOf: file)
      // Nothing but a beginning.
      if bytes.count < 4096 { continue }
      let run = try Program.run("wick", ["report", file.path], folder: folder)
      let hasNone = run.exitCode == 1 && run.output.contains("no samples")
      #expect([0, 4].contains(run.exitCode) || hasNone, "\(bytes.count) bytes: \(run)")
    }
  }

  private func removeRecordings(in folder: URL) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.contains("wick") {
      try FileManager.default.removeItem(at: folder.appending(path: name))
    }
  }

  @Test func targetOutlivesWick() throws {
    try Place.withFolder { folder in
      let program = try start(in: folder)
      let before = Footprint(program.pid)
      for number in 0..<Self.count {
        // Mostly while it comes in, sometimes while it records.
        let delay = number % 4 == 3 ? Int.random(in: 60_000...400_000) : Int.random(in: 0...60_000)
        let wick = try attach(program.pid, ["-F", "999"], in: folder)
        usleep(UInt32(delay))
        kill(wick.pid, SIGKILL)
        _ = wick.exitCode()
        #expect(
          Wait.until(seconds: 2.5) { !Footprint.hasAgentThreads(program.pid) },
          "killed after \(delay) µs: \(Footprint(program.pid).threads)")
        try #require(!program.hasEnded, "killed after \(delay) µs")
      }
      try expectReadable(recordings(in: folder), in: folder)
      let differences = Footprint(program.pid).differences(since: before) { _ in false }
      #expect(differences.isEmpty)
      #expect(Footprint.sockets(program.pid).isEmpty)
      let list = try Program.run("wick", ["list"], folder: folder)
      #expect(!list.output.contains("\(program.pid)"), "\(list.output)")
      // And it can be attached to as ever.
      let target = AttachedTarget(pid: program.pid, folder: folder)
      #expect(try target.attach(milliseconds: 200).exitCode == 0)
      program.closeInput()
      #expect(program.exitCode() == 0, "\(program.output)")
    }
  }

  @Test func wickOutlivesTarget() throws {
    try Place.withFolder { folder in
      for number in 0..<Self.count {
        let program = try start(in: folder)
        let delay = number % 3 == 2 ? Int.random(in: 60_000...400_000) : Int.random(in: 0...60_000)
        let wick = try attach(program.pid, ["-F", "999"], in: folder)
        usleep(UInt32(delay))
        kill(program.pid, SIGKILL)
        _ = program.exitCode()
        let exitCode = wick.exitCode(seconds: 10)
        #expect(
          [0, 1, 3, 4].contains(exitCode), "killed after \(delay) µs: \(exitCode) \(wick.output)")
        #expect(!wick.output.contains("Fatal error"), "\(wick.output)")
        try expectReadable(recordings(in: folder), in: folder)
        try removeRecordings(in: folder)
        // The path of its socket is removed by the next agent that opens one there.
        for path in Footprint.sockets(program.pid) { unlink(path) }
      }
    }
  }

  /// Who does not read what is sent makes the agent drop samples, and count them; never wait.
  @Test func stoppedWickLosesSamplesOnly() throws {
    try Place.withFolder { folder in
      let program = try Program(try Fixture.heap.get(), ["40"], folder: folder)
      try program.waitFor("ready\n")
      let wick = try attach(program.pid, ["-F", "9999"], in: folder)
      try #require(Wait.until(seconds: 10) { Footprint.hasAgentThreads(program.pid) })
      usleep(300_000)
      kill(wick.pid, SIGSTOP)
      program.say("\n")
      sleep(Self.count == 10 ? 3 : 25)
      let lines = program.output.split(separator: "\n").count
      program.say("\n")
      #expect(
        Wait.until(seconds: 1) { program.output.split(separator: "\n").count > lines })
      kill(wick.pid, SIGCONT)
      usleep(300_000)
      kill(wick.pid, SIGINT)
      #expect(wick.exitCode(seconds: 20) == 0, "\(wick.output)")
      print("wick was stopped for some seconds: \(wick.output.split(separator: "\n").first ?? "")")
      print("delays while it was stopped, µs: \(program.output.split(separator: "\n").dropFirst())")
      AttachedTarget(pid: program.pid, folder: folder).expectAgentGone()
      program.closeInput()
      #expect(program.exitCode() == 0, "\(program.output)")
    }
  }

  /// Reported, not required: how long it takes from `wick attach` to the first sample.
  @Test(.enabled(if: Place.has("/usr/bin/wrk"))) func firstSampleComesSoon() throws {
    try Place.withFolder { folder in
      let server = try Program("WickBlogServer", ["--port", "0"], folder: folder)
      try server.waitFor("http://127.0.0.1:")
      let address = try #require(server.address)
      let load = try Program(
        "/usr/bin/wrk", ["-t", "1", "-c", "8", "-d", "60", "\(address)/posts?limit=20"],
        folder: folder)
      usleep(500_000)
      var delays: [Double] = []
      for _ in 0..<AttachedTarget.cycles {
        let begin = Self.now()
        let wick = try attach(server.pid, ["-d", "500ms"], in: folder)
        let hasCome = try Wait.until(seconds: 2) { try hasSamples(in: folder) }
        if hasCome { delays.append(Self.now() - begin) }
        #expect(wick.exitCode() == 0, "\(wick.output)")
        try removeRecordings(in: folder)
      }
      kill(load.pid, SIGKILL)
      print("ms from wick attach to the first sample: \(delays.map { Int($0) })")
      #expect(!delays.isEmpty)
    }
  }

  /// Whether a recording that is under way has samples by now.
  private func hasSamples(in folder: URL) throws -> Bool {
    for file in recordings(in: folder) {
      guard let mapped = try? MappedFile(path: file.path),
        let profile = try? Recording.profile(of: mapped.bytes)
      else { continue }
      if !profile.samples.isEmpty { return true }
    }
    return false
  }

  /// CLOCK_MONOTONIC, in milliseconds.
  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }
}
