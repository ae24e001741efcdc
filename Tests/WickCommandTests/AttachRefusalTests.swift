import Foundation
import Glibc
import Testing

/// Processes that cannot be attached to, and mistakes: one line each, and nothing is changed.
@Suite(.serialized) struct AttachRefusalTests {
  private let isRoot = geteuid() == 0

  @Test func processesThatAreNoneAreNamed() throws {
    try AttachTarget.expectRefusal("there is no process 4194300", ["4194300"])
    if try String(contentsOfFile: "/proc/2/comm", encoding: .utf8) == "kthreadd\n" {
      try AttachTarget.expectRefusal("is a thread of the kernel", ["2"])
    }
    let thread = try #require(
      FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").first {
        $0 != "\(getpid())"
      })
    try AttachTarget.expectRefusal("is a thread of process \(getpid())", [thread])
    var child: pid_t = 0
    var words: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
    defer { free(words[0]) }
    try #require(posix_spawn(&child, "/bin/true", nil, nil, &words, nil) == 0)
    usleep(300_000)
    try AttachTarget.expectRefusal("has ended: it is a zombie", ["\(child)"])
    waitpid(child, nil, 0)
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "/bin/sh", ["-c", "exec \"$0\" attach -o x.wick $$", Command.wick], folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors.contains("is this wick itself"), "\(outcome.errors)")
      #expect(try Command.names(in: folder) == [])
    }
  }

  @Test func programsThatTheAgentCannotBeInAreNamed() throws {
    for (variant, words) in [
      (AttachTarget.Variant.fixed, "it is statically linked"), (.musl, "is linked with musl"),
      (.deadly, "has a seccomp filter, which may kill it"),
      (.strict, "has a seccomp filter, which may kill it"),
    ] where try AttachTarget.path(variant) != nil {
      let target = try AttachTarget(variant)
      try target.expectRefusal(words)
      if variant == .strict {
        try target.expectRefusal("forbids memfd_create(2)", options: ["--allow-seccomp"])
      }
      #expect(target.isAlive)
    }
  }

  /// As it stands, gcc's 32-bit libraries are rarely there; the assembler needs none.
  @Test func program32BitIsNamed() throws {
    try Command.withFolder { folder in
      let code = "_start: movl $29, %eax\nint $0x80\njmp _start\n.globl _start\n"
      try Data(code.utf8).write(to: folder.appending(path: "wait.s"))
      let built = try Command.run(
        "/bin/sh", ["-c", "as --32 -o wait.o wait.s && ld -m elf_i386 -o wait wait.o"],
        folder: folder)
      guard built.exitCode == 0 else { return print("skipped: no assembler for 32 bits") }
      let process = Process()
      process.executableURL = folder.appending(path: "wait")
      guard (try? process.run()) != nil else {
        return print("skipped: the kernel runs no 32-bit programs")
      }
      defer { kill(process.processIdentifier, SIGKILL) }
      usleep(100_000)
      try AttachTarget.expectRefusal("is a 32-bit program", ["\(process.processIdentifier)"])
      #expect(process.isRunning)
    }
  }

  /// An emulator is a program as others are.
  @Test func emulatedProgramGoesOn() throws {
    guard let path = try AttachTarget.path(.arm), access("/usr/bin/qemu-aarch64", X_OK) == 0 else {
      return
    }
    try Command.withFolder { folder in
      let target = try AttachTarget(
        words: ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", path])
      let (outcome, folded) = try target.attach(folder: folder)
      #expect(outcome.exitCode == 0 ? !folded.isEmpty : outcome.exitCode == 3, "\(outcome.errors)")
      #expect(target.isAlive)
    }
  }

  @Test func stoppedAndTracedProcessesAreNamed() throws {
    let target = try AttachTarget()
    kill(target.pid, SIGSTOP)
    usleep(100_000)
    try target.expectRefusal("is stopped (by SIGSTOP or Ctrl-Z)")
    kill(target.pid, SIGCONT)
    #expect(target.isAlive)
    guard access("/usr/bin/strace", X_OK) == 0 else { return print("skipped: no strace") }
    let (tracer, _) = try Command.start(
      "/usr/bin/strace", ["-e", "trace=none", "-p", "\(target.pid)"], folder: AttachTarget.folder)
    usleep(500_000)
    try target.expectRefusal("is already traced by process \(tracer.processIdentifier) (strace)")
    kill(tracer.processIdentifier, SIGKILL)
    tracer.waitUntilExit()
    #expect(target.isAlive)
  }

  @Test func othersProcessesNeedRights() throws {
    guard isRoot else { return print("skipped: needs root") }
    let own = try AttachTarget()
    // The stranger's wick must be reachable for the stranger.
    guard
      try Command.run(
        "/usr/bin/env", AttachTarget.stranger + [Command.wick, "--version"],
        folder: AttachTarget.folder
      ).exitCode == 0
    else { return print("skipped: other users cannot run \(Command.wick)") }
    try own.expectRefusal(
      "belongs to user 0, and you are 64321; use sudo", by: AttachTarget.stranger)
    let other = try AttachTarget(by: AttachTarget.stranger)
    for wrapper in [
      ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"],
      ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"],
    ] {
      try other.expectRefusal("this container lacks CAP_SYS_PTRACE", by: wrapper, code: 3)
    }
    try Command.withFolder { folder in
      let (outcome, folded) = try other.attach(folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(folded.contains("burn_a_while"))
    }
    #expect(own.isAlive && other.isAlive)
  }

  @Test func wrongOptionsAreNamed() throws {
    let target = try AttachTarget()
    for (options, words) in [
      (["-F", "0"], "'--rate' must be"), (["-d", "0"], "'--duration' must be"),
      (["--open"], "'--open' shows a flame graph"), (["-o", "x.txt"], "must end in .wick"),
      (["--engine", "magic"], "'--engine'"), (["12"], "12"),
    ] {
      try target.expectRefusal(words, options: options, code: 2)
    }
    for path in ["/nowhere/x.wick", "/proc/x.wick"] {
      try target.expectRefusal("cannot", options: ["-o", path], code: 1)
    }
    try AttachTarget.expectRefusal("is no process id", ["word"], code: 2)
  }

  @Test func endInTheMiddleKeepsWhatThereIs() throws {
    try Command.withFolder { folder in
      let target = try AttachTarget()
      let (process, finish) = try target.record(["-o", "x.wick"], folder: folder)
      usleep(500_000)
      target.end()
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("process \(target.pid) (plain) has ended"))
      #expect(try Command.names(in: folder) == ["x.wick"])
      let report = try Command.run("report", "x.wick", folder: folder)
      #expect(report.output.contains("burn_a_while"))
    }
  }

  @Test func fullDiskEndsTheSession() throws {
    guard isRoot else { return print("skipped: needs root") }
    try Command.withFolder { folder in
      let disk = folder.appending(path: "disk")
      try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
      try #require(mount("none", disk.path, "tmpfs", 0, "size=64k") == 0)
      defer { umount2(disk.path, Int32(MNT_DETACH)) }
      let target = try AttachTarget()
      let before = target.descriptorCount
      let outcome = try AttachTarget.wick(
        ["attach", "-F", "10000", "-d", "30", "-o", "disk/x.wick", "\(target.pid)"],
        folder: folder)
      #expect(outcome.exitCode == 1)
      #expect(outcome.complaints.count == 1)
      #expect(outcome.errors.contains("No space left on device"), "\(outcome.errors)")
      let kept = try #require(try Command.names(in: disk).first { $0.hasPrefix(".wick-") })
      let name = try #require(try Command.names(in: disk.appending(path: kept)).first)
      let report = try Command.run("report", "disk/\(kept)/\(name)", folder: folder)
      // 4: the last chunk was cut short, which is said.
      #expect(report.exitCode == 0 || report.exitCode == 4, "\(report.errors)")
      #expect(report.output.contains("burn_a_while"))
      usleep(300_000)
      #expect(target.descriptorCount == before)
      #expect(target.isAlive)
    }
  }
}
