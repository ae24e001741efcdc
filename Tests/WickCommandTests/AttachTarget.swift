import Foundation
import Glibc
import Testing

/// A program of `Fixtures/Attach` that runs, and does what a letter says; see there.
final class AttachTarget {
  /// How it is built.
  enum Variant: String {
    case plain, fixed, musl, arm, deadly, strict
  }

  struct Problem: Error {
    var message: String
  }

  let pid: Int32
  /// The target or what it was started by.
  private let started: pid_t
  private var hasEnded = false
  private let input = Pipe()
  private let output = Pipe()

  /// Where the programs and the agent are, readable for all users.
  static let folder = URL(fileURLWithPath: "/tmp/wick-attach-\(getuid())")
  static let agent = folder.appending(path: "libwick.so").path
  /// Variables that have the agent wait for a client.
  static let idle = ["LD_PRELOAD=\(agent)", "WICK=idle"]
  /// A user of whom the machine knows nothing.
  static let stranger = ["setpriv", "--reuid=64321", "--regid=64321", "--clear-groups"]

  private static let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Attach/target.c").path

  private static let compilers: [Variant: [String]] = [
    .plain: ["gcc", "-g"], .fixed: ["gcc", "-static"], .musl: ["musl-gcc"],
    .arm: ["aarch64-linux-gnu-gcc"],
    .deadly: ["gcc", "-DFILTER=SECCOMP_RET_KILL_PROCESS"],
    .strict: ["gcc", "-DFILTER=(SECCOMP_RET_ERRNO|1)"],
  ]

  /// The program; nil, and said, if it cannot be built here.
  static func path(_ variant: Variant) throws -> String? {
    let files = FileManager.default
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    chmod(folder.path, 0o755)
    let built = Command.products.appending(path: "Wick_CWickAgent.resources/libwick.so").path
    if !files.contentsEqual(atPath: built, andPath: agent) {
      try? files.removeItem(atPath: agent)
      try files.copyItem(atPath: built, toPath: agent)
      chmod(agent, 0o755)
    }
    let path = folder.appending(path: variant.rawValue).path
    let words = compilers[variant] ?? []
    let outcome = try Command.run(
      "/usr/bin/env", words + ["-O2", "-o", path, source], folder: folder)
    guard outcome.exitCode == 0 else {
      print("skipped, as \(words[0]) is missing or fails: \(outcome.errors)")
      return nil
    }
    return path
  }

  /// Starts it by a wrapper, which may run it in a process of its own.
  convenience init(
    _ variant: Variant = .plain, by wrapper: [String] = [], environment: [String] = [],
    arguments: [String] = [], isChild: Bool = false
  ) throws {
    guard let path = try Self.path(variant) else { throw Problem(message: "no \(variant)") }
    try self.init(
      words: wrapper + ["env"] + environment + [path] + arguments, isChild: isChild)
  }

  /// Not by Foundation, which holds a descriptor open in what it starts, and takes its closing for
  /// the end.
  init(words: [String], isChild: Bool = false) throws {
    let script = """
      cd /; for file in /proc/self/fd/*; do number=${file##*/}
      if ((number > 2)); then eval "exec $number>&-"; fi; done; exec env "$@"
      """
    var arguments = (["bash", "-c", script, "bash"] + words).map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.fileHandleForReading.fileDescriptor, 0)
    posix_spawn_file_actions_adddup2(&actions, output.fileHandleForWriting.fileDescriptor, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // Threads of a test's pool block signals.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var started: pid_t = 0
    guard
      posix_spawn(&started, "/bin/bash", &actions, &attributes, &arguments, environ) == 0
    else { throw Problem(message: "cannot start \(words)") }
    self.started = started
    guard Self.line(of: output) == "ready" else {
      kill(started, SIGKILL)
      waitpid(started, nil, 0)
      throw Problem(message: "\(words) did not start")
    }
    pid = isChild ? Self.descendant(of: started) : started
  }

  deinit { end() }

  /// Kills it.
  func end() {
    guard !hasEnded else { return }
    hasEnded = true
    kill(pid, SIGKILL)
    kill(started, SIGKILL)
    waitpid(started, nil, 0)
  }

  /// Has it do something.
  func ask(_ letter: Character) -> String {
    tell(letter)
    return Self.line(of: output)
  }

  /// The same, where it cannot answer.
  func tell(_ letter: Character) {
    input.fileHandleForWriting.write(Data(String(letter).utf8))
  }

  var isAlive: Bool { ask("p") == "pong" }

  /// What may not be changed: descriptors, threads, and whether a copy of the agent is there.
  var state: [String] {
    let files = FileManager.default
    let descriptors = (try? files.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
    let maps = (try? String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8)) ?? ""
    return descriptors.sorted() + ["\(threads.count) threads", "\(maps.contains("wick"))"]
  }

  var descriptorCount: Int {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []).count
  }

  private var threads: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
  }

  /// CPU time of the thread that serves clients, in ticks of 10 ms.
  var controlTicks: Int {
    for thread in threads {
      let folder = "/proc/\(pid)/task/\(thread)"
      guard let name = try? String(contentsOfFile: "\(folder)/comm", encoding: .utf8),
        name == "wick-control\n",
        let stat = try? String(contentsOfFile: "\(folder)/stat", encoding: .utf8)
      else { continue }
      let fields = stat.split(separator: " ")
      return (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0)
    }
    return -1
  }

  /// Where its control socket is.
  func socket(in places: [String] = ["/run", "/tmp", "/dev/shm"], user: Int = 0) -> String? {
    for _ in 0..<200 {
      for place in places {
        let folder = "\(place)/wick-\(user)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if let name = names.first(where: { $0.hasPrefix("\(pid)-") }) { return "\(folder)/\(name)" }
      }
      usleep(20_000)
    }
    return nil
  }

  private static func line(of pipe: Pipe) -> String {
    let descriptor = pipe.fileHandleForReading.fileDescriptor
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 20_000) > 0, read(descriptor, &byte, 1) == 1 else { return "silent" }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
  }

  private static func descendant(of pid: Int32) -> Int32 {
    let path = "/proc/\(pid)/task/\(pid)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    guard let child = text.split(separator: " ").first.flatMap({ Int32($0) }) else { return pid }
    return descendant(of: child)
  }

  // MARK: wick

  /// Runs `wick` in a folder, for a minute at most.
  static func wick(
    _ arguments: [String], folder: URL, by wrapper: [String] = []
  ) throws -> Command.Outcome {
    try Command.run(
      "/usr/bin/env", ["timeout", "60"] + wrapper + [Command.wick] + arguments, folder: folder)
  }

  /// Starts `wick attach` and waits until it records.
  func record(
    _ options: [String], folder: URL
  ) throws -> (Process, () throws -> Command.Outcome) {
    let started = try Command.start(
      Command.wick, ["attach"] + options + ["\(pid)"], folder: folder)
    for _ in 0..<200 {
      let status = try Self.wick(["status", "\(pid)"], folder: folder)
      if status.output.contains("process \(started.0.processIdentifier)\n") { break }
      if !started.0.isRunning { break }
      usleep(50_000)
    }
    return started
  }

  /// Attaches for a second; folded text comes out.
  func attach(folder: URL, by wrapper: [String] = []) throws -> (Command.Outcome, folded: String) {
    let path = folder.appending(path: "\(UUID().uuidString).folded")
    let outcome = try Self.wick(
      ["attach", "-F", "499", "-d", "1", "-o", path.lastPathComponent, "\(pid)"], folder: folder,
      by: wrapper)
    defer { try? FileManager.default.removeItem(at: path) }
    return (outcome, (try? String(contentsOf: path, encoding: .utf8)) ?? "")
  }

  /// Expects that `wick attach` refuses it, in one line, and changes nothing.
  func expectRefusal(
    _ words: String, options: [String] = [], by wrapper: [String] = [], code: Int32 = 3
  ) throws {
    let before = state
    try Self.expectRefusal(words, ["\(pid)"] + options, by: wrapper, code: code)
    #expect(state == before)
  }

  static func expectRefusal(
    _ words: String, _ arguments: [String], by wrapper: [String] = [], code: Int32 = 3
  ) throws {
    try Command.withFolder { folder in
      chmod(folder.path, 0o777)
      var line = ["attach"]
      for option in [["-d", "1"], ["-o", "x.wick"]] where !arguments.contains(option[0]) {
        line += option
      }
      let outcome = try wick(line + arguments, folder: folder, by: wrapper)
      #expect(outcome.exitCode == code)
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("wick: "))
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try Command.names(in: folder) == [])
    }
  }
}
