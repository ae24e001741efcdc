import Foundation
import Testing

/// `wick dump` against debuggers that nobody here wrote.
@Suite(.serialized) struct DumpOracleTests {
  /// Threads that stay where they are: locks, a sleep, a socket, and the interpreter below a sort.
  private static let script = """
    import socket, threading, time
    event, listener = threading.Event(), socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    for work in event.wait, lambda: time.sleep(1000), listener.accept:
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.3)
    print("ready", flush=True)
    sorted([1, 2, 3], key=lambda number: event.wait())
    """

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/eu-stack")))
  func interpreterHasTheFramesThatElfutilsFinds() throws {
    try Command.withFolder { folder in
      try DumpedProgram.run("/usr/bin/python3", ["-c", Self.script], in: folder) { program in
        let dump = try program.dump()
        #expect(dump.threads.count == 4)
        let outcome = try Command.run(
          "/usr/bin/eu-stack", ["-n", "0", "-p", "\(program.pid)"], folder: folder)
        var stacks: [Int32: [UInt64]] = [:]
        var tid: Int32 = 0
        for line in outcome.output.split(separator: "\n") {
          if let match = line.firstMatch(of: #/^TID ([0-9]+):/#) { tid = Int32(match.1) ?? 0 }
          if let match = line.firstMatch(of: #/^#[0-9]+ +0x([0-9a-f]+)/#) {
            stacks[tid, default: []].append(UInt64(match.1, radix: 16) ?? 0)
          }
        }
        #expect(stacks.count == 4)
        for thread in dump.threads {
          #expect(thread.truncation == nil)
          let addresses = thread.frames.filter { !$0.isInlined }.map { frame in
            UInt64((frame.address ?? "").dropFirst(2), radix: 16) ?? 0
          }
          // Modules begin at pages, so the rest of an address is the same in the file.
          let expected = (stacks[thread.tid] ?? []).map { $0 & 0xfff }
          #expect(addresses.map { $0 & 0xfff } == expected, "\(thread.functions)")
        }
      }
    }
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/gdb")),
    arguments: [DumpedProgram.withFramePointers, DumpedProgram.optimized])
  func functionsAndLinesAreThoseOfTheDebugger(flags: [String]) throws {
    try Command.withFolder { folder in
      let program = try DumpedProgram.build("threads", flags, in: folder)
      try DumpedProgram.run(program, ["20"], in: folder) { program in
        let dump = try program.dump()
        let outcome = try Command.run(
          "/usr/bin/gdb",
          [
            "-nx", "-batch", "-p", "\(program.pid)", "-iex", "set debuginfod enabled off",
            "-ex", "thread apply all backtrace",
          ], folder: folder)
        let stacks = Self.backtraces(outcome.output)
        #expect(stacks.count == 21)
        for thread in dump.threads where thread.state != "running" {
          let own = thread.frames.filter { $0.file?.hasSuffix("threads.c") == true }
            .map { "\($0.function):\($0.line ?? 0)" }
          #expect(own == stacks[thread.tid], "\(thread.name)")
        }
      }
    }
  }

  /// What `thread apply all backtrace` prints of the fixture's own functions, by thread id.
  ///
  /// In libc it guesses calls that left no frame, and its functions have many names.
  private static func backtraces(_ text: String) -> [Int32: [String]] {
    var stacks: [Int32: [String]] = [:]
    var tid: Int32 = 0
    for line in text.split(separator: "\n") {
      if let match = line.firstMatch(of: #/^Thread .*\(LWP ([0-9]+)\)/#) {
        tid = Int32(match.1) ?? 0
      }
      if let match = line.firstMatch(
        of: #/^#[0-9]+ +(?:0x[0-9a-f]+ in )?([^ ]+) .*threads\.c:([0-9]+)$/#)
      {
        stacks[tid, default: []].append("\(match.1):\(match.2)")
      }
    }
    return stacks
  }
}
