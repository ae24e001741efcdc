import Foundation
import Glibc
import Testing

/// Processes in namespaces of their own, attached to from outside.
@Suite(.serialized) struct AttachNamespaceTests {
  /// One way to live apart.
  struct Place: CustomTestStringConvertible {
    var name: String
    var wrapper: [String]
    var isChild = false
    /// Whether a socket can be had there.
    var hasDoor = true

    var testDescription: String { name }
  }

  private static func inMounts(_ script: String) -> [String] {
    ["unshare", "-m", "sh", "-c", "\(script) && exec \"$@\"", "sh"]
  }

  /// All that can be written to, or all but /dev/shm, is empty and for reading only.
  private static let readOnly =
    "mount -o bind /tmp/wick-attach-0 /mnt && mount -t tmpfs none /tmp && "
    + "mkdir /tmp/wick-attach-0 && mount -o bind /mnt /tmp/wick-attach-0 && "
    + "mount -t tmpfs -o ro none /run && mount -t tmpfs -o ro none /var/tmp && "
    + "mount -o remount,ro /tmp && mount -o remount,bind,ro /"

  static let places = [
    Place(
      name: "own /tmp",
      wrapper: inMounts(
        "mkdir -p /mnt/t && mount -o bind /tmp/wick-attach-0 /mnt/t && mount -t tmpfs none /tmp && "
          + "mkdir /tmp/wick-attach-0 && mount -o bind /mnt/t /tmp/wick-attach-0 && "
          + "mount -t tmpfs none /run")),
    Place(name: "read-only but /dev/shm", wrapper: inMounts(readOnly)),
    Place(
      name: "read-only",
      wrapper: inMounts("mount -t tmpfs -o ro none /dev/shm && \(readOnly)"), hasDoor: false),
    Place(
      name: "own pids", wrapper: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
      isChild: true),
    Place(name: "own network", wrapper: ["unshare", "-n"]),
    Place(name: "root as a user", wrapper: ["unshare", "-Ur"]),
    Place(name: "stranger as root", wrapper: AttachTarget.stranger + ["unshare", "-Ur"]),
    Place(name: "stranger unknown", wrapper: AttachTarget.stranger + ["unshare", "-U"]),
    Place(
      name: "own root",
      wrapper: inMounts("mkdir -p /mnt/j && mount --rbind / /mnt/j") + ["chroot", "/mnt/j"]),
  ]

  @Test(arguments: places, [false, true]) func isReachedFromOutside(
    place: Place, isIdle: Bool
  ) throws {
    guard geteuid() == 0 else { return print("skipped: needs root") }
    guard try AttachTarget.path(.plain) != nil else { return }
    guard
      try Command.run(
        "/usr/bin/env", place.wrapper + ["/bin/true"], folder: AttachTarget.folder
      ).exitCode == 0
    else { return print("skipped: \(place.name) cannot be had here") }
    try Command.withFolder { folder in
      let target = try AttachTarget(
        by: place.wrapper, environment: isIdle ? AttachTarget.idle : [], isChild: place.isChild)
      if isIdle { usleep(300_000) }
      let options = ["-F", "499", "-o", "x.folded"]
      let (process, finish): (Process, () throws -> Command.Outcome)
      if place.hasDoor {
        (process, finish) = try target.record(options, folder: folder)
        let list = try AttachTarget.wick(["list"], folder: folder)
        #expect(list.output.contains("\(target.pid)  plain"), "\(list.output)")
        let status = try AttachTarget.wick(["status", "\(target.pid)"], folder: folder)
        #expect(status.output.contains("yes, to wick, process \(process.processIdentifier)"))
        usleep(500_000)
        let stop = try AttachTarget.wick(["stop", "\(target.pid)"], folder: folder)
        #expect(stop.exitCode == 0, "\(stop.errors)")
      } else {
        (process, finish) = try Command.start(
          Command.wick, ["attach", "-d", "1"] + options + ["\(target.pid)"], folder: folder)
      }
      process.waitUntilExit()
      let outcome = try finish()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      let path = folder.appending(path: "x.folded")
      let folded = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
      #expect(folded.contains("main;burn_a_while"), "\(folded.prefix(300))")
      #expect(target.isAlive)
    }
  }

  @Test func firstProcessOfANamespaceIsNoExceptionAndNoHarm() throws {
    guard geteuid() == 0 else { return print("skipped: needs root") }
    guard let path = try AttachTarget.path(.plain) else { return }
    try Command.withFolder { folder in
      // wick inside, with the first process as its target.
      let script = "(sleep 1; \"$0\" attach -d 1 -F 499 -o x.folded 1 >&2) & exec \"$1\" </dev/null"
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
      process.arguments = [
        "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, Command.wick, path,
      ]
      process.currentDirectoryURL = folder
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      defer { kill(process.processIdentifier, SIGKILL) }
      let output = folder.appending(path: "x.folded")
      for _ in 0..<200 where (try? Data(contentsOf: output))?.isEmpty ?? true { usleep(50_000) }
      let folded = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
      #expect(folded.contains("main;burn_a_while"))
      #expect(process.isRunning)
    }
  }
}
