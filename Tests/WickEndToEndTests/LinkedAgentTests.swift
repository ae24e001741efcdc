import Foundation
import Glibc
import Testing
import WickProfile

/// A server that links the agent, with and without a preloaded copy.
@Suite(.serialized) struct LinkedAgentTests {
  /// Runs the blog server until it listens and for a second of load, and returns the number of the
  /// agent's threads in it.
  private func serve(environment: [String: String]) throws -> Int {
    let running = try Host.start("WickBlogServer", ["--port", "0"], environment: environment)
    defer { try? FileManager.default.removeItem(at: running.errors) }
    var address: Substring?
    for _ in 0..<600 where address == nil {
      usleep(50_000)
      let text = try String(contentsOf: running.errors, encoding: .utf8)
      address = text.firstMatch(of: /http:\/\/[0-9.]+:[0-9]+/)?.output
    }
    let server = try #require(address, "the server did not say where it listens")
    try Host.run("/usr/bin/wrk", ["-t1", "-c4", "-d1s", "\(server)/slow/feed"])
    let tasks = "/proc/\(running.process.processIdentifier)/task"
    let names = try FileManager.default.contentsOfDirectory(atPath: tasks).map {
      try String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)
    }
    running.process.terminate()
    running.process.waitUntilExit()
    #expect(running.process.terminationReason == .exit)
    #expect(running.process.terminationStatus == 0)
    return names.filter { $0 == "wick-writer\n" }.count
  }

  @Test func environmentStartsTheLinkedCopy() throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "linked.wick")
      #expect(try serve(environment: ["WICK": "out=\(file.path),hz=997"]) == 1)
      let profile = try Host.read(file)
      #expect(profile.total(of: 0) > 200)
      #expect(profile.origin.processes.map(\.endReason) == ["exited"])
    }
  }

  @Test func unsetIsOff() throws {
    #expect(try serve(environment: [:]) == 0)
  }

  @Test func linkedAndPreloadedCopyDoNotBothRun() throws {
    try Host.withFolder { folder in
      let file = folder.appending(path: "both.wick")
      #expect(try serve(environment: Host.preloading(file, "hz=997")) == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["both.wick"])
      let profile = try Host.read(file)
      // One copy counts each tick once: as much weight as CPU time.
      let cpu =
        profile.origin.statistic("processCPUNanoseconds")
        - profile.origin.statistic("agentCPUNanoseconds")
      #expect((0.9...1.1).contains(Double(profile.total(of: 1)) / Double(cpu)))
    }
  }
}
