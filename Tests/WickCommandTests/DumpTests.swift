import Foundation
import Glibc
import Testing

/// `wick dump`: stacks of programs that were not prepared for it, which must not notice.
@Suite(.serialized) struct DumpTests {
  private static let builds = [
    DumpedProgram.withFramePointers, DumpedProgram.optimized, ["-O1", "-static"],
    ["-O1", "-fcf-protection=none", "-no-pie"],
  ]

  /// The stack that the fixture's thread of a number must have, innermost first.
  private func expectedStack(_ number: Int) -> [String] {
    let chain = Array(repeating: "third", count: number % 8 + 1) + ["second", "first", "run"]
    if number == 1 { return ["count"] + chain }
    guard number % 10 == 2 else {
      return [number % 2 == 0 ? "wait_for_event" : "wait_for_condition"] + chain
    }
    return ["wait_for_event", "handle", "<signal handler called>", "wait_in_handler"] + chain
  }

  private static let ownFunctions: Set<String> = [
    "count", "third", "second", "first", "run", "wait_for_event", "wait_for_condition", "handle",
    "<signal handler called>", "wait_in_handler",
  ]

  @Test(arguments: builds) func everyThreadHasItsStack(flags: [String]) throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("threads", flags + keepingCalls, in: folder)
      try DumpedProgram.run(program, ["200"], in: folder) { program in
        let dump = try program.dump()
        #expect(dump.version == 1)
        #expect(dump.process.pid == program.pid && !dump.process.hasEnded)
        #expect(dump.threads.count == 201)
        for thread in dump.threads {
          #expect(thread.truncation == nil, "\(thread)")
          guard let number = Int(thread.name.dropFirst("worker-".count)) else {
            #expect(thread.tid == program.pid && thread.functions.contains("main"))
            #expect(thread.systemCall == "pause")
            continue
          }
          #expect(
            thread.functions.filter(Self.ownFunctions.contains) == expectedStack(number),
            "\(thread)")
          #expect(thread.state == (number == 1 ? "running" : "sleeping"))
          let isEvent = number % 2 == 0
          #expect(thread.systemCall == (number == 1 ? nil : isEvent ? "epoll_wait" : "futex"))
          let lines = thread.frames.filter { $0.function == "second" }
          #expect(lines.count == 1 && lines[0].file?.hasSuffix("threads.c") == true)
          #expect(lines.first?.line != nil)
        }
      }
    }
  }

  /// Keeps the compiler from making a loop of the recursion or a jump of a last call.
  private let keepingCalls = ["-fno-optimize-sibling-calls", "-fno-inline"]

  @Test func equalStacksAreShownOnce() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build(
        "threads", DumpedProgram.optimized + keepingCalls, in: folder)
      try DumpedProgram.run(program, ["40"], in: folder) { program in
        let text = try program.dumpText()
        #expect(text.hasPrefix("Process \(program.pid) (threads): 41 threads, "))
        // Thread 3, 11, 19, 27 and 35.
        #expect(text.contains("\n5 threads: sleeping in futex\n  worker-3 "))
        #expect(text.matches(of: #/\n\n(Thread|[0-9]+ threads)/#).count < 20)
        let all = try program.dumpText("--all")
        #expect(all.matches(of: #/\n\nThread /#).count == 41)
        #expect(all.firstMatch(of: #/\n[0-9]+ threads: /#) == nil)
      }
    }
  }

  @Test(arguments: [DumpedProgram.withFramePointers, DumpedProgram.optimized])
  func noCallSeesAnInterruption(flags: [String]) throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("calls", flags, in: folder)
      try DumpedProgram.run(program, in: folder) { program in
        var stops = 0
        for _ in 0..<50 {
          let threads = try program.dump("--addresses").threads
          #expect(threads.count == 23)
          stops += threads.count { $0.pauseNanoseconds > 0 }
        }
        // Most of these have to be stopped, as their callers are found by the frame pointer.
        if flags == DumpedProgram.withFramePointers { #expect(stops > 400) }
        let calls = try program.finish().map { $0.split(separator: " ") }
        #expect(calls.count == 22)
        for call in calls { #expect(call.last == "0", "\(call)") }
        // Those that wait for ever still do.
        let endless: Set = [
          "read", "accept", "msgrcv", "flock", "waitpid", "pause", "sigsuspend",
        ]
        for call in calls {
          #expect((call[1] == "0") == endless.contains(String(call[0])), "\(call)")
        }
      }
    }
  }

  @Test(arguments: [DumpedProgram.withFramePointers, DumpedProgram.optimized])
  func noTransferIsCutShort(flags: [String]) throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("transfer", flags, in: folder)
      try DumpedProgram.run(program, in: folder) { program in
        for _ in 0..<5 {
          let writer = try #require(program.dump().threads.last)
          #expect(writer.systemCall == "write" && writer.pauseNanoseconds == 0)
          #expect(writer.functions.contains("write_all"))
          if flags == DumpedProgram.optimized {
            #expect(writer.truncation == nil)
          } else {
            #expect(
              writer.truncation
                == "[truncated: a stop could cut its call short; --force stops it]")
          }
        }
        #expect(try program.finish() == ["written 1048576"])
      }
    }
  }

  @Test func noSignalIsLostOrLate() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("signals", DumpedProgram.withFramePointers, in: folder)
      try DumpedProgram.run(program, in: folder) { program in
        for _ in 0..<50 { _ = try program.dump("--addresses") }
        let numbers = try #require(program.finish().first).split(separator: " ").map { Int($0) }
        let sent = try #require(numbers.first ?? nil)
        #expect(sent > 100)
        #expect(numbers == [sent, sent, sent, 0, 0])
      }
    }
  }

  @Test func stoppedProcessStaysStopped() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build(
        "threads", DumpedProgram.withFramePointers, in: folder)
      try DumpedProgram.run(program, ["12"], in: folder) { program in
        kill(program.pid, SIGSTOP)
        try program.wait { program.state == "T" }
        for _ in 0..<3 {
          let dump = try program.dump()
          #expect(dump.threads.count == 13)
          for thread in dump.threads {
            #expect(thread.state == "stopped" && thread.truncation == nil, "\(thread)")
            #expect(thread.frames.count > 4)
          }
          #expect(program.state == "T")
        }
        kill(program.pid, SIGCONT)
        try program.wait { program.state == "S" }
        #expect(try program.dump().threads[0].systemCall == "pause")
      }
    }
  }

  @Test func deepRecursionIsWalkedToItsEnd() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("deep", DumpedProgram.withFramePointers, in: folder)
      try DumpedProgram.run(program, ["8000", "600"], in: folder) { program in
        let thread = try #require(program.dump().threads.first)
        #expect(thread.truncation == nil)
        #expect(thread.functions.filter { $0 == "descend" }.count == 8001)
        #expect(thread.functions.contains("main"))
        let text = try program.dumpText()
        #expect(text.contains("the frame above comes 7999 more times"), "\(text)")
      }
    }
  }

  /// The parent of a child by vfork waits as a thread does whose disk is gone.
  @Test(arguments: [DumpedProgram.withFramePointers, DumpedProgram.optimized])
  func uninterruptibleThreadIsNotWaitedFor(flags: [String]) throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("vfork", flags, in: folder)
      try DumpedProgram.run(program, in: folder) { program in
        try program.wait { program.state == "D" }
        let dump = try program.dump()
        let waiting = try #require(dump.threads.first)
        #expect(waiting.state == "uninterruptible" && waiting.systemCall == "vfork")
        #expect(waiting.functions.first?.contains("vfork") == true)
        let other = try #require(dump.threads.last)
        #expect(other.functions.contains("other") && other.truncation == nil)
        #expect(program.state == "D")
        // It stops later neither.
        #expect(try program.finish() == ["done"])
      }
    }
  }

  /// As in a container: its files are not where this program would look for them.
  @Test(.enabled(if: geteuid() == 0)) func processWithFilesOfItsOwnHasNames() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build(
        "threads", DumpedProgram.optimized + ["-Wl,--build-id=none"] + keepingCalls, in: folder)
      let place = folder.appending(path: "inside")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let script = """
        mount -t tmpfs none "$1" && cp "$0" "$1/server" && exec "$1/server" 4
        """
      try DumpedProgram.run(
        "/usr/bin/unshare", ["-m", "sh", "-c", script, program, place.path], in: folder
      ) { program in
        #expect(!FileManager.default.fileExists(atPath: place.appending(path: "server").path))
        let dump = try program.dump()
        let thread = try #require(dump.threads.first { $0.name == "worker-3" })
        #expect(thread.functions.filter(Self.ownFunctions.contains) == expectedStack(3))
      }
    }
  }

  @Test func threadsThatComeAndGoAreNoFailure() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("churn", DumpedProgram.withFramePointers, in: folder)
      try DumpedProgram.run(program, in: folder) { program in
        for _ in 0..<20 {
          let dump = try program.dump("--addresses")
          #expect(dump.threads.contains { $0.tid == program.pid })
          #expect(!dump.process.hasEnded)
        }
        #expect(try program.finish().first?.hasPrefix("threads ") == true)
      }
    }
  }

  @Test func mistakesAreSaidInALine() throws {
    try Command.withFolder { folder in
      for (arguments, code, line) in [
        ([], 2, "name a process by its id, as in 'wick dump 4711' (see 'wick dump --help')"),
        (["x"], 2, "'x' is no process id (see 'wick dump --help')"),
        (["0"], 2, "'0' is no process id (see 'wick dump --help')"),
        (["4194303"], 3, "there is no process 4194303; 'ps ax' lists those that run"),
      ] as [([String], Int32, String)] {
        let outcome = try Command.run(Command.wick, ["dump"] + arguments, folder: folder)
        #expect(outcome.exitCode == code)
        #expect(outcome.errors == "wick: \(line)\n")
        #expect(outcome.output.isEmpty)
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0)) func processOfAnotherUserIsRefused() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("threads", DumpedProgram.optimized, in: folder)
      try DumpedProgram.run(program, ["2"], in: folder) { program in
        let outcome = try Command.run(
          "/usr/bin/setpriv",
          ["--reuid=65534", "--clear-groups", Command.wick, "dump", "\(program.pid)"],
          folder: URL(fileURLWithPath: "/"))
        #expect(outcome.exitCode == 3)
        #expect(
          outcome.errors
            == "wick: process \(program.pid) (threads) belongs to user 0, and you are 65534; "
            + "use sudo\n")
      }
    }
  }

  @Test func tracedProcessIsRefusedWithItsTracer() throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("traced", DumpedProgram.optimized, in: folder)
      try DumpedProgram.run(program, in: folder) { program in
        // The fixture traces a child that counts, and says which.
        let child = try #require(program.text.split(separator: "\n").first { $0 != "ready" })
        let outcome = try Command.run("dump", String(child), folder: folder)
        #expect(outcome.exitCode == 3)
        #expect(
          outcome.errors
            == "wick: process \(child) (traced) is already traced by process \(program.pid) "
            + "(traced); end that one first\n")
      }
    }
  }

  /// A header, one segment, and `pause` for ever: kernels without 32-bit calls refuse to run it.
  @Test func programOf32BitsIsRefused() throws {
    try Command.withFolder { folder in
      let code: [UInt8] = [0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7]
      let base: UInt32 = 0x0804_8000
      let size = UInt32(84 + code.count)
      var bytes: [UInt8] = Array("\u{7f}ELF".utf8) + [1, 1, 1] + Array(repeating: 0, count: 9)
      func append(_ values: [UInt32], byteCount: UInt32) {
        for value in values {
          for place in 0..<byteCount {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * place)))
          }
        }
      }
      append([2, 3], byteCount: 2)
      append([1, base + 84, 52, 0, 0], byteCount: 4)
      append([52, 32, 1, 0, 0, 0], byteCount: 2)
      append([1, 0, base, base, size, size, 5, 0x1000], byteCount: 4)
      let path = folder.appending(path: "small").path
      #expect(
        FileManager.default.createFile(
          atPath: path, contents: Data(bytes + code), attributes: [.posixPermissions: 0o755]))
      let process = Process()
      process.executableURL = URL(fileURLWithPath: path)
      guard (try? process.run()) != nil else { return }
      defer {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      let outcome = try Command.run("dump", "\(process.processIdentifier)", folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(
        outcome.errors
          == "wick: process \(process.processIdentifier) (small) is a 32-bit program; only those "
          + "of 64 bits can be dumped\n")
    }
  }
}
