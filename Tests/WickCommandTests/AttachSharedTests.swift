import Foundation
import Glibc
import Testing

/// Several clients of one agent, and what `list`, `status` and `stop` say.
@Suite(.serialized) struct AttachSharedTests {
  private func samples(_ name: String, folder: URL) throws -> Int {
    let outcome = try Command.run("report", "--json", name, folder: folder)
    try #require(outcome.exitCode == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require((object as? [String: Any])?["total"] as? Int)
  }

  @Test(arguments: [true, false]) func sharedSessionIsWholeForBoth(firstLeaves: Bool) throws {
    try Command.withFolder { folder in
      let target = try AttachTarget()
      let lengths = firstLeaves ? ("3", "4") : ("6", "2")
      let (first, finishFirst) = try target.record(
        ["-F", "499", "-d", lengths.0, "-o", "first.wick"], folder: folder)
      let refused = try AttachTarget.wick(
        ["attach", "-d", "1", "-o", "x.wick", "\(target.pid)"], folder: folder)
      #expect(refused.exitCode == 3)
      #expect(
        refused.errors.contains(
          "is being recorded by another wick, process \(first.processIdentifier); --join"))
      #expect(refused.errors.split(separator: "\n").count == 1)
      #expect(!(try Command.names(in: folder).contains("x.wick")))
      let second = try AttachTarget.wick(
        ["attach", "--join", "-d", lengths.1, "-o", "second.wick", "\(target.pid)"],
        folder: folder)
      #expect(second.exitCode == 0, "\(second.errors)")
      first.waitUntilExit()
      let outcome = try finishFirst()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains(" 0 lost"))
      #expect(second.errors.contains(" 0 lost"))
      let counts = (
        try samples("first.wick", folder: folder), try samples("second.wick", folder: folder)
      )
      // The longer one has more of the same program.
      #expect(firstLeaves || counts.0 > counts.1, "\(counts)")
      #expect(counts.0 > 50 && counts.1 > 50, "\(counts)")
      #expect(
        try Command.names(in: folder).filter { !$0.hasSuffix(".wick") || $0.hasPrefix(".") } == [])
      #expect(target.isAlive)
    }
  }

  @Test func stopEndsItForBoth() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget()
      let (first, finishFirst) = try target.record(["-o", "first.wick"], folder: folder)
      let (second, finishSecond) = try Command.start(
        Command.wick, ["attach", "--join", "-o", "second.wick", "\(target.pid)"], folder: folder)
      sleep(2)
      let list = try AttachTarget.wick(["list"], folder: folder)
      let row = try #require(
        list.output.split(separator: "\n").first { $0.contains("\(target.pid)  plain") })
      #expect(row.contains("99 Hz") && row.contains("to wick, process "))
      #expect(list.output.split(separator: "\n")[0].hasSuffix("ENGINE"))
      let status = try AttachTarget.wick(["status", "\(target.pid)"], folder: folder)
      #expect(status.output.hasPrefix("Process    \(target.pid) (plain)\nAgent      wick "))
      #expect(status.output.contains("\nRecording  yes, to wick, process "))
      #expect(
        status.output.contains(", 99 Hz\nMemory     no allocation is followed\nSince      "))
      let stop = try AttachTarget.wick(["stop", "\(target.pid)"], folder: folder)
      #expect(stop.exitCode == 0)
      #expect(stop.output == "stopped the recording of process \(target.pid) (plain)\n")
      first.waitUntilExit()
      second.waitUntilExit()
      for outcome in [try finishFirst(), try finishSecond()] {
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("the recording was ended in process \(target.pid)"))
      }
      usleep(300_000)
      let none = try AttachTarget.wick(["stop", "\(target.pid)"], folder: folder)
      #expect(none.exitCode == 3)
      #expect(none.errors.contains("has no agent that listens"))
      #expect(target.isAlive)
    }
  }

  @Test func idleAgentIsListedAndCannotBeStopped() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget(environment: AttachTarget.idle)
      _ = try #require(target.socket())
      let list = try AttachTarget.wick(["list"], folder: folder)
      #expect(list.output.contains("\(target.pid)  plain"))
      let status = try AttachTarget.wick(["status", "\(target.pid)"], folder: folder)
      #expect(status.output.hasSuffix("\nRecording  no\n"))
      let stop = try AttachTarget.wick(["stop", "\(target.pid)"], folder: folder)
      #expect(stop.exitCode == 3)
      #expect(
        stop.errors == "wick: process \(target.pid) (plain) is not being recorded\n")
      kill(target.pid, SIGSTOP)
      usleep(100_000)
      let stopped = try AttachTarget.wick(["status", "\(target.pid)"], folder: folder)
      #expect(stopped.exitCode == 3 && stopped.errors.contains("is stopped (by SIGSTOP"))
      #expect(
        try AttachTarget.wick(["list"], folder: folder).output.contains("\(target.pid)  plain"))
    }
  }

  @Test func socketsOfTheKilledAreRemoved() throws {
    try Command.withFolder { folder in
      func abandoned() throws -> String {
        let target = try AttachTarget(environment: AttachTarget.idle)
        let path = try #require(target.socket(user: Int(geteuid())))
        target.end()
        #expect(access(path, F_OK) == 0)
        // Young ones may be of somebody who is about to listen.
        _ = try AttachTarget.wick(["list"], folder: folder)
        #expect(access(path, F_OK) == 0)
        let touched = try Command.run("/bin/touch", ["-d", "1 minute ago", path], folder: folder)
        #expect(touched.exitCode == 0)
        return path
      }
      let first = try abandoned()
      #expect(
        !(try AttachTarget.wick(["list"], folder: folder).output.contains("-1.sock")))
      #expect(access(first, F_OK) != 0)
      let second = try abandoned()
      let next = try AttachTarget(environment: AttachTarget.idle)
      let path = try #require(next.socket(user: Int(geteuid())))
      for _ in 0..<100 where access(second, F_OK) == 0 { usleep(20_000) }
      #expect(access(second, F_OK) != 0)
      #expect(access(path, F_OK) == 0)
    }
  }
}
