import Foundation
import Testing
import WickTestPrograms

/// Programs with allocators of their own, recorded from their first instruction.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PreloadedServerTests {
  @Test(.enabled(if: Place.has("/usr/bin/redis-server", "/usr/bin/redis-cli")))
  func redisKeepsItsData() throws {
    try Place.withFolder { folder in
      let port = "\(try Place.freePort())"
      let path = folder.appending(path: "redis.wick").path
      let server = try Program(
        "wick",
        [
          "record", "--alloc=all", "-o", path, "--", "/usr/bin/redis-server", "--port", port,
          "--bind", "127.0.0.1", "--save", "", "--dir", folder.path,
        ], folder: folder)
      try server.waitFor("Ready to accept connections")
      func redis(_ words: String...) throws -> String {
        let run = try Program.run("/usr/bin/redis-cli", ["-p", port] + words, folder: folder)
        return run.output.trimmingCharacters(in: .newlines)
      }
      let value = "string.rep(tostring(i) .. '-', 40)"
      let set = "for i = 1, 5000 do redis.call('SET', 'k:' .. i, \(value)) end return 'ok'"
      let get =
        "local n = 0 for i = 1, 5000 do if redis.call('GET', 'k:' .. i) == \(value) then n = n + 1 "
        + "end end return n"
      for _ in 0..<5 {
        #expect(try redis("EVAL", set, "0") == "ok")
        #expect(try redis("EVAL", get, "0") == "5000")
      }
      _ = try redis("SHUTDOWN", "NOSAVE")
      #expect(server.exitCode() == 0, "\(server.output)")
      let recording = AllocationRecording(path: path, folder: folder)
      try recording.expectComplete()
      // A key and its value each, five times; four times of these were freed.
      let account = try recording.account()
      #expect(account.inuse_objects > 10_000)
      let all = try recording.functions("alloc_objects").values.map(\.total).max() ?? 0
      #expect(all > 100_000)
    }
  }

  /// With its own allocator for small objects, and with malloc for all.
  @Test(.enabled(if: Place.has("/usr/bin/python3")), arguments: ["pymalloc", "malloc"])
  func pythonComputesTheSame(allocator: String) throws {
    try Place.withFolder { folder in
      let script = """
        import threading
        def work(seed, results):
            table = {i: str(i * seed) for i in range(20000)}
            results.append(sum(int(text) for text in table.values()))
        results = []
        threads = [threading.Thread(target=work, args=(n, results)) for n in range(1, 5)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("sum", sum(results))
        """
      let recording = try AllocationRecording.make(
        .preloaded, "/usr/bin/env",
        ["PYTHONMALLOC=\(allocator)", "/usr/bin/python3", "-c", script], folder: folder)
      #expect(recording.output.contains("sum 1999900000\n"), "\(recording.output)")
      let all = try recording.functions("alloc_objects").values.map(\.total).max() ?? 0
      // Every text and most numbers.
      #expect(all > (allocator == "malloc" ? 160_000 : 1000))
    }
  }
}
