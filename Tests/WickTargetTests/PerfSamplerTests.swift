import CWickFormat
import Foundation
import Glibc
import Testing
import WickProfile
import WickRecording
import WickSymbols
import WickTarget

/// Programs that nobody prepared, sampled from outside.
@Suite(.serialized, .enabled(if: PerfProgram.isPermitted)) struct PerfSamplerTests {
  private func expectSplit(_ profile: Profile) {
    for (leaf, share) in [("leaf_seventy", 70.0), ("leaf_twenty", 20), ("leaf_ten", 10)] {
      let found = profile.leafShare(leaf)
      #expect(abs(found - share) <= 3, "\(leaf): \(found) %")
    }
  }

  private func expectWholeAccounts(_ profile: Profile, _ outcome: PerfSampler.Outcome) {
    #expect((0.97...1.03).contains(profile.delivered), "delivered/expected")
    #expect(outcome.lostWeight == 0)
    #expect(UInt64(profile.total(of: 0)) == outcome.totals.weight)
    // A sample may be in a library of the system's, on the way to main or from it.
    #expect(profile.origin.warnings.filter { !$0.contains("stripped") } == [])
  }

  @Test func staticProgramHasItsSharesAndWholeStacks() throws {
    let program = try PerfProgram(.gnu, "split")
    let (profile, outcome, _) = try program.sample()
    expectSplit(profile)
    expectWholeAccounts(profile, outcome)
    #expect(outcome.endReason == .stopped)
    #expect(profile.origin.processes.map(\.endReason) == ["stopped"])
    #expect(profile.origin.processes[0].info["command"]?.hasSuffix("workload-gnu split") == true)
    #expect(profile.threads.map(\.name) == ["workload-gnu"])
    let leaves = profile.weight { $0.first?.hasPrefix("leaf_") == true }
    let whole = profile.weight {
      $0.count >= 4 && $0[0].hasPrefix("leaf_") && $0[1...3] == ["split_once", "middle", "main"]
    }
    #expect(whole >= leaves * 0.99, "\(whole) of \(leaves)")
  }

  @Test(.enabled(if: PerfProgram.hasMusl)) func muslProgramHasItsShares() throws {
    let program = try PerfProgram(.musl, "split")
    let (profile, outcome, _) = try program.sample()
    expectSplit(profile)
    expectWholeAccounts(profile, outcome)
    #expect(profile.weight { $0.contains("main") } >= profile.weight { _ in true } * 0.99)
  }

  @Test(.enabled(if: PerfProgram.hasGo)) func goProgramHasItsShares() throws {
    let program = try PerfProgram(try PerfProgram.goWorkload())
    let (profile, outcome, _) = try program.sample()
    #expect(abs(profile.leafShare("main.leafSeventy") - 70) <= 3)
    #expect(abs(profile.leafShare("main.leafThirty") - 30) <= 3)
    expectWholeAccounts(profile, outcome)
    #expect(profile.weight { $0.contains("main.main") } >= profile.weight { _ in true } * 0.98)
  }

  @Test func positionIndependentProgramIsPlaced() throws {
    let program = try PerfProgram(.dynamic, "split")
    let (profile, outcome, _) = try program.sample()
    expectSplit(profile)
    expectWholeAccounts(profile, outcome)
    #expect(profile.weight { $0.contains("main") } >= profile.weight { _ in true } * 0.99)
  }

  @Test func libraryThatIsLoadedLaterIsNamed() throws {
    let program = try PerfProgram(.dynamic, "plugin", try PerfProgram.plugin().path)
    let (profile, _, _) = try program.sample()
    let burn = profile.weight {
      $0.count > 2 && $0[0...2] == ["plugin_leaf", "plugin_burn", "main"]
    }
    #expect(burn >= profile.weight { _ in true } * 0.7)
    #expect(profile.weight { $0.contains("middle") } > 0)
    #expect(profile.modules.contains { $0.name == "plugin.so" && !$0.buildID.isEmpty })
  }

  @Test func threadsThatComeLaterAreSampled() throws {
    let program = try PerfProgram(.gnu, "late")
    let (profile, outcome, _) = try program.sample()
    expectSplit(profile)
    #expect(outcome.totals.threads >= 10)
    // What a thread does before its event is there is lost: some 0.5 ms of its 200, or more
    // where this program has to wait for a CPU.
    #expect((0.85...1.03).contains(profile.delivered), "delivered/expected")
  }

  @Test func timeInTheKernelIsThatOfItsCaller() throws {
    let program = try PerfProgram(.gnu, "kernel")
    let (profile, outcome, _) = try program.sample()
    expectWholeAccounts(profile, outcome)
    let read = profile.weight { ($0.first ?? "").contains("read") && $0.contains("main") }
    #expect(read >= profile.weight { _ in true } * 0.8, "\(profile.leafShare("__libc_read"))")
  }

  @Test func stacksDeeperThanTheKernelWalksAreMarked() throws {
    let program = try PerfProgram(.gnu, "deep")
    let (profile, outcome, _) = try program.sample()
    let limit = try String(contentsOfFile: "/proc/sys/kernel/perf_event_max_stack", encoding: .utf8)
    guard limit == "127\n" else { return }
    expectSplit(profile)
    #expect(outcome.totals.truncated >= outcome.totals.samples * 99 / 100)
    #expect(profile.weight { $0.last == "[truncated: too deep]" && $0.count == 128 } > 1000)
  }

  @Test func programThatEndsByItselfEndsTheRecording() throws {
    let program = try PerfProgram(
      PerfProgram.products.appending(path: "WickKnownSplit"), ["--seconds", "2"])
    let (profile, outcome, _) = try program.sample(seconds: 60)
    #expect(outcome.endReason == .exited)
    expectWholeAccounts(profile, outcome)
    // It says itself what its threads used, all of it but some milliseconds while it was watched.
    struct Truth: Decodable {
      struct Thread: Decodable { var cpu_ns: Double }
      var threads: [Thread]
    }
    let truth = try JSONDecoder().decode(Truth.self, from: Data(try program.finish().utf8))
    let used = truth.threads.reduce(0) { $0 + $1.cpu_ns }
    #expect((0.95...1.03).contains(Double(profile.total(of: 1)) / used))
  }

  @Test func killedProgramLeavesAReadableRecording() throws {
    let program = try PerfProgram(.gnu, "split")
    let (profile, outcome, bytes) = try program.sample(PerfSampler.Settings(rateHertz: 1999)) {
      if program.cpuSeconds ?? 0 > 3 { kill(program.pid, SIGKILL) }
      return true
    }
    #expect(outcome.endReason == .killed)
    #expect(profile.origin.processes.map(\.endReason) == ["killed"])
    expectSplit(profile)
    expectWholeAccounts(profile, outcome)
    for count in stride(from: 64, to: bytes.count, by: 97) {
      let part = try Recording.profile(of: Array(bytes.prefix(count)).span.bytes)
      #expect(part.origin.isIncomplete && part.samples.count <= profile.samples.count)
    }
  }

  @Test func recordingEndsAfterItsDuration() throws {
    let program = try PerfProgram(.gnu, "split")
    let settings = PerfSampler.Settings(duration: .milliseconds(500))
    let (profile, outcome, _) = try program.sample(settings) { true }
    #expect(outcome.endReason == .duration)
    #expect(profile.origin.processes.map(\.endReason) == ["duration"])
    #expect(profile.origin.durationNanoseconds >= 500_000_000)
    #expect(program.process.isRunning)
  }

  @Test func failedSinkEndsTheSampling() throws {
    let program = try PerfProgram(.gnu, "split")
    let sampler = try PerfSampler(try TargetProcess(pid: program.pid))
    var room = 1000
    do {
      _ = try sampler.run(
        to: { _ in
          { bytes throws(RecordingWriteError) in
            room -= bytes.byteCount
            guard room >= 0 else { throw RecordingWriteError(code: ENOSPC) }
          }
        }, while: { true })
      Issue.record("the failure was not noticed")
    } catch {
      #expect(error == RecordingWriteError(code: ENOSPC))
    }
    #expect(program.process.isRunning)
  }

  @Test func programThatBecomesAnotherBeginsASegment() throws {
    let program = try PerfProgram(
      PerfProgram.products.appending(path: "WickKnownSplit"),
      ["--seconds", "1", "--exec"])
    let (profile, outcome, _) = try program.sample(seconds: 60)
    #expect(profile.origin.processes.map(\.endReason) == ["exec", "exited"])
    #expect(profile.weight { $0.contains("burn_before_exec") } > 50)
    #expect(profile.weight { $0.first == "leaf_seventy" } > 100)
    expectWholeAccounts(profile, outcome)
  }

  @Test func childrenAreRecordedIfTheyAreWanted() throws {
    for includesChildren in [true, false] {
      let program = try PerfProgram(
        PerfProgram.products.appending(path: "WickKnownSplit"), ["--seconds", "1", "--fork"])
      let (profile, _, _) = try program.sample(
        seconds: 60, includesChildren: includesChildren)
      #expect(profile.origin.processes.count == (includesChildren ? 2 : 1))
      #expect((profile.weight { $0.contains("child_burn") } > 100) == includesChildren)
      #expect(profile.weight { $0.first == "leaf_seventy" } > 100)
    }
  }

  /// Both at once, so that both see the same.
  @Test(.enabled(if: PerfProgram.hasPerf)) func sharesAreThoseOfPerf() throws {
    let program = try PerfProgram(.gnu, "split")
    let file = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID()).data")
    defer { try? FileManager.default.removeItem(at: file) }
    let other = Process()
    other.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    other.arguments = [
      "perf", "record", "-q", "-e", "task-clock", "-F", "1999", "-g", "-p", "\(program.pid)", "-o",
      file.path,
    ]
    other.standardError = FileHandle.nullDevice
    try other.run()
    let (profile, _, _) = try program.sample()
    // It ends with what it samples.
    kill(program.pid, SIGKILL)
    other.waitUntilExit()
    let report = try PerfProgram.run([
      "perf", "report", "-i", file.path, "--stdio", "--no-children", "-g", "none", "-s", "sym",
    ])
    for leaf in ["leaf_seventy", "leaf_twenty", "leaf_ten"] {
      let line = try #require(report.split(separator: "\n").first { $0.contains(leaf) })
      let share = try #require(Double(line.split(separator: " ")[0].dropLast()))
      #expect(abs(profile.leafShare(leaf) - share) <= 3, "\(leaf): perf says \(share) %")
    }
  }

  @Test func sharesAreThoseOfTheAgent() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "agent.wick")
    let program = try PerfProgram(
      try PerfProgram.workload(.dynamic), ["split"],
      environment: [
        "LD_PRELOAD": PerfProgram.products.appending(path: "Wick_CWickAgent.resources/libwick.so")
          .path, "WICK": "out=\(file.path),hz=1999",
      ])
    let (profile, _, _) = try program.sample()
    _ = try program.finish()
    let recorded = try Recording.profile(of: [UInt8](Data(contentsOf: file)).span.bytes)
    var symbolicator = Symbolicator()
    let own = symbolicator.symbolicate(recorded)
    #expect(profile.total(of: 0) > 3000 && own.total(of: 0) > 3000)
    for leaf in ["leaf_seventy", "leaf_twenty", "leaf_ten"] {
      #expect(abs(profile.leafShare(leaf) - own.leafShare(leaf)) <= 3, "\(leaf)")
    }
    for name in ["split_once", "middle", "main"] {
      let shares = [profile, own].map { profile in
        profile.weight { $0.contains(name) } / profile.weight { _ in true } * 100
      }
      #expect(abs(shares[0] - shares[1]) <= 3, "\(name): \(shares)")
    }
  }
}
