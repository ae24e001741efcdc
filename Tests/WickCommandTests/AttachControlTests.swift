import Foundation
import Glibc
import Testing

/// The agent's control socket against those who plant, babble and crowd, and hosts that do as they
/// please with their descriptors, children and roots.
@Suite(.serialized) struct AttachControlTests {
  private let isRoot = geteuid() == 0

  /// Somebody at the door.
  private final class Caller {
    let descriptor: Int32

    init?(_ path: String) {
      descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      guard result == 0 else { return nil }
    }

    deinit { close(descriptor) }

    func say(_ text: String) {
      let bytes = Array(text.utf8)
      _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Whether this is the first that is answered.
    func hears(_ text: String) -> Bool {
      var heard: [UInt8] = []
      var byte: UInt8 = 0
      while heard.count < text.utf8.count {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 4000) > 0, recv(descriptor, &byte, 1, 0) == 1 else { return false }
        heard.append(byte)
      }
      return heard == Array(text.utf8)
    }

    /// Takes the rest; whether the other end closes in time.
    func ends() -> Bool {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 6000) > 0 else { return false }
        if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return true }
      }
    }

    /// What is answered until the other end closes; nil if it stays open for some seconds.
    func answer() -> String? {
      var answer: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 4000) > 0 else { return nil }
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
        answer += buffer[..<count]
      }
    }
  }

  @Test func babblersHaveNoEffect() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget(environment: AttachTarget.idle)
      let path = try #require(target.socket())
      let before = target.descriptorCount
      let (process, finish) = try target.record(["-d", "8", "-o", "x.wick"], folder: folder)
      // Until all is armed.
      usleep(500_000)
      let (ticks, during) = (target.controlTicks, target.descriptorCount)
      for (words, expected) in [
        ("\0\u{1}\u{2}nonsense\n", "error version=1\n"), ("wick 2 status\n", "error version=1\n"),
        ("wick 1 recordings\n", "error verb\n"), ("wick 1 \n", "error verb\n"),
        (String(repeating: "x", count: 1 << 20), ""),
      ] {
        let caller = try #require(Caller(path))
        caller.say(words)
        #expect(caller.answer() == expected)
      }
      let busy = try #require(Caller(path))
      busy.say("wick 1 record hz=0 engine=99 join=0\n")
      #expect(busy.answer() == "error busy pid=\(process.processIdentifier)\n")
      // Half a line, and gone.
      do { try #require(Caller(path)).say("wick 1 sta") }
      let silent = try #require(Caller(path))
      #expect(silent.answer() == "")
      for _ in 0..<100 { _ = Caller(path) }
      for _ in 0..<200 {
        if target.descriptorCount <= during { break }
        usleep(20_000)
      }
      #expect(target.descriptorCount <= during)
      #expect(target.controlTicks - ticks < 15)
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains(", 0 lost,"))
      usleep(200_000)
      #expect(target.descriptorCount == before)
      #expect(target.isAlive)
    }
  }

  @Test func oddRecordRequestsAreAnswered() throws {
    let target = try AttachTarget(environment: AttachTarget.idle)
    let path = try #require(target.socket())
    for parameters in [
      "hz=99999999", "engine=77", "hz=-1 engine=-1", "hz=4294967395", "hz=", "hz=9x", "join=2",
      "alloc=1099511627777", "alloc=18446744073709551616", "alloc=-1", "alloc=64k", "arc=2",
      "mmap=on",
    ] {
      let caller = try #require(Caller(path))
      caller.say("wick 1 record \(parameters) join=0\n")
      let answer = caller.answer()
      #expect(answer?.hasPrefix("error start result=") == true, "\(parameters): \(answer ?? "-")")
    }
    #expect(target.isAlive)
  }

  @Test func switchesAreCheckedAndNeedARecording() throws {
    let target = try AttachTarget(environment: AttachTarget.idle)
    let path = try #require(target.socket())
    for (parameters, expected) in [
      ("", "error option\n"), (" interval=", "error option\n"), (" interval=x", "error option\n"),
      (" interval=-1", "error option\n"), (" interval=1099511627777", "error option\n"),
      (" interval=0", "error idle\n"), (" interval=65536", "error idle\n"),
    ] {
      let caller = try #require(Caller(path))
      caller.say("wick 1 alloc\(parameters)\n")
      #expect(caller.answer() == expected, "\(parameters)")
    }
    try Command.withFolder { folder in
      let outcome = try AttachTarget.wick(
        ["switch", "--alloc=64k", "\(target.pid)"], folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors == "wick: process \(target.pid) (plain) is not being recorded\n")
    }
    #expect(target.isAlive)
  }

  @Test func joinedRecordingFollowsWhatAnyReaderWants() throws {
    let target = try AttachTarget(environment: AttachTarget.idle)
    let path = try #require(target.socket())
    /// What the agent says that it follows.
    func interval() throws -> String {
      let caller = try #require(Caller(path))
      caller.say("wick 1 status\n")
      let answer = try #require(caller.answer())
      return answer.split(separator: " ").first { $0.hasPrefix("alloc=") }.map(String.init)
        ?? answer
    }
    func join(_ parameters: String) throws -> Caller {
      let caller = try #require(Caller(path))
      caller.say("wick 1 record hz=99 join=1 \(parameters)\n")
      #expect(caller.hears("ok\n"))
      return caller
    }
    #expect(try interval() == "alloc=0")
    let first = try join("alloc=0")
    #expect(try interval() == "alloc=0")
    let second = try join("alloc=524288")
    #expect(try interval() == "alloc=524288")
    let third = try join("alloc=4096 arc=0 mmap=1")
    #expect(try interval() == "alloc=4096")
    let fourth = try join("alloc=65536")
    #expect(try interval() == "alloc=4096")
    // Who leaves takes his wishes along.
    third.say("stop\n")
    #expect(third.ends())
    #expect(try interval() == "alloc=65536")
    fourth.say("stop\n")
    #expect(fourth.ends())
    #expect(try interval() == "alloc=524288")
    withExtendedLifetime((first, second)) {}
    #expect(target.isAlive)
  }

  @Test func hostWithoutDescriptorsLeaveIsNotBusyWaiting() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget(environment: AttachTarget.idle)
      let path = try #require(target.socket())
      func allow(_ count: Int) throws -> Int32 {
        let limit = "--nofile=\(count):4096"
        return try Command.run(
          "/usr/bin/env", ["prlimit", "--pid", "\(target.pid)", limit], folder: folder
        ).exitCode
      }
      try #require(try allow(3) == 0)
      let ticks = target.controlTicks
      let caller = try #require(Caller(path))
      caller.say("wick 1 status\n")
      sleep(2)
      #expect(target.controlTicks - ticks < 10)
      try #require(try allow(4096) == 0)
      #expect(caller.answer()?.hasPrefix("ok pid=") == true)
      #expect(target.isAlive)
    }
  }

  @Test func otherUsersAreShutOut() throws {
    guard isRoot else { return print("skipped: needs root") }
    let target = try AttachTarget(by: AttachTarget.stranger, environment: AttachTarget.idle)
    let path = try #require(target.socket(user: 64321))
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    chmod(folder, 0o755)
    chmod(path, 0o777)
    defer { chmod(folder, 0o700) }
    func ask(_ wrapper: [String]) throws -> String {
      let script = """
        use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($ARGV[0])) or die;
        syswrite(S, "wick 1 status\\n"); print while <S>
        """
      return try Command.run(
        "/usr/bin/env", wrapper + ["perl", "-e", script, path], folder: AttachTarget.folder
      ).output
    }
    #expect(try ask([]).hasPrefix("ok pid="))
    #expect(try ask(AttachTarget.stranger).hasPrefix("ok pid="))
    #expect(try ask(["setpriv", "--reuid=64322", "--clear-groups"]) == "")
    #expect(target.isAlive)
  }

  @Test func plantedFoldersAreAvoided() throws {
    guard isRoot else { return print("skipped: needs root") }
    let files = FileManager.default
    let planted = "/tmp/wick-64321"
    try? files.removeItem(atPath: planted)
    for kind in ["another user's", "open to all", "a link"] {
      if kind == "a link" {
        try files.createSymbolicLink(atPath: planted, withDestinationPath: "/dev/shm")
        lchown(planted, 64321, 64321)
      } else {
        mkdir(planted, 0o700)
        chown(planted, kind == "open to all" ? 64321 : 64322, 64321)
        chmod(planted, kind == "open to all" ? 0o777 : 0o700)
      }
      defer { try? files.removeItem(atPath: planted) }
      let target = try AttachTarget(by: AttachTarget.stranger, environment: AttachTarget.idle)
      let path = try #require(target.socket(user: 64321))
      #expect(path.hasPrefix("/dev/shm/wick-64321/"), "\(kind)")
      // Nobody but the process itself can be at the other end.
      try Command.withFolder { folder in
        let status = try AttachTarget.wick(["status", "\(target.pid)"], folder: folder)
        #expect(status.exitCode == 0, "\(status.errors)")
      }
    }
  }

  @Test func socketOfAnotherProcessIsIgnored() throws {
    guard isRoot else { return print("skipped: needs root") }
    try Command.withFolder { folder in
      let target = try AttachTarget()
      mkdir("/run/wick-0", 0o700)
      let path = "/run/wick-0/\(target.pid)-1.sock"
      defer { unlink(path) }
      // Says that all is well, to everybody.
      let script = """
        use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die;
        listen(S, 1); while (accept(C, S)) { syswrite(C, "ok pid=1 recording=1\\n"); close C }
        """
      let liar = Process()
      liar.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
      liar.arguments = ["-e", script, path]
      try liar.run()
      defer { kill(liar.processIdentifier, SIGKILL) }
      usleep(300_000)
      let status = try AttachTarget.wick(["status", "\(target.pid)"], folder: folder)
      #expect(status.exitCode == 3)
      #expect(status.errors.contains("has no agent that listens"))
      let (outcome, folded) = try target.attach(folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(folded.contains("burn_a_while"))
    }
  }

  @Test(arguments: [true, false]) func hostMayTakeAllNumbers(isIdle: Bool) throws {
    try Command.withFolder { folder in
      let target = try AttachTarget(environment: isIdle ? AttachTarget.idle : [])
      if isIdle { _ = try #require(target.socket()) }
      let (process, finish) = try target.record(["-d", "4", "-o", "x.wick"], folder: folder)
      usleep(700_000)
      #expect(target.ask("c") == "taken")
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      usleep(200_000)
      #expect(target.ask("v") == "intact")
      #expect(target.isAlive)
      // And once more.
      let (again, folded) = try target.attach(folder: folder)
      #expect(again.exitCode == 0, "\(again.errors)")
      #expect(folded.contains("burn_a_while"))
      #expect(target.isAlive)
    }
  }

  @Test func idleHostMayTakeAllNumbers() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget(environment: AttachTarget.idle)
      let path = try #require(target.socket())
      #expect(target.ask("c") == "taken")
      usleep(300_000)
      #expect(target.ask("v") == "intact")
      #expect(access(path, F_OK) != 0)
      let (outcome, folded) = try target.attach(folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(folded.contains("burn_a_while"))
      #expect(target.isAlive)
    }
  }

  @Test func childrenHoldNoSockets() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget()
      let (process, finish) = try target.record(["-o", "x.wick"], folder: folder)
      let facts = target.ask("f").split(separator: " ").compactMap { Int32($0) }
      try #require(facts.count == 2)
      defer { kill(facts[0], SIGKILL) }
      #expect(facts[1] == 0)
      usleep(300_000)
      target.end()
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("has ended"))
      #expect(kill(facts[0], 0) == 0)
    }
  }

  /// A tick that falls into exec kills the next program: the agent stands before it, preloaded or not.
  @Test(arguments: [true, false]) func programMayBecomeAnother(isIdle: Bool) throws {
    try Command.withFolder { folder in
      let target = try AttachTarget(environment: isIdle ? AttachTarget.idle : [])
      for _ in 0..<5 {
        let (process, finish) = try target.record(["-F", "9999", "-o", "x.wick"], folder: folder)
        usleep(300_000)
        try #require(target.ask("e") == "ready")
        process.waitUntilExit()
        let outcome = try finish()
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        #expect(outcome.complaints.isEmpty)
      }
      let (again, folded) = try target.attach(folder: folder)
      #expect(again.exitCode == 0, "\(again.errors)")
      #expect(folded.contains("burn_a_while"))
      #expect(target.isAlive)
    }
  }

  @Test(arguments: ["r", "u"]) func rootAndUserMayChange(letter: String) throws {
    guard isRoot else { return print("skipped: needs root") }
    try Command.withFolder { folder in
      let jail = folder.appending(path: "jail")
      try FileManager.default.createDirectory(at: jail, withIntermediateDirectories: true)
      let target = try AttachTarget(environment: AttachTarget.idle, arguments: [jail.path])
      _ = try #require(target.socket())
      #expect(target.ask(Character(letter)) == (letter == "r" ? "inside" : "nobody"))
      let (process, finish) = try target.record(["-o", "x.wick"], folder: folder)
      usleep(300_000)
      let list = try AttachTarget.wick(["list"], folder: folder)
      #expect(list.output.contains("\(target.pid)  plain"), "\(list.output)")
      let stop = try AttachTarget.wick(["stop", "\(target.pid)"], folder: folder)
      #expect(stop.exitCode == 0, "\(stop.errors)")
      process.waitUntilExit()
      #expect(try finish().exitCode == 0)
      #expect(target.isAlive)
    }
  }
}
