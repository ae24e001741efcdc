import Foundation
import Testing
import WickTestPrograms

/// Hooks come and go, and leave nothing.
@Suite(.serialized, .timeLimit(.minutes(30))) struct HookRemovalTests {
  /// Programs that are running when they are attached to.
  enum Target: CaseIterable {
    case race, classesInCPlusPlus, dynamicSwift, staticSwift, python

    /// Starts it, and lets it wait for a byte; or have threads that allocate meanwhile, too.
    func start(underLoad: Bool = false, in folder: URL) throws -> Program {
      let way = underLoad ? "load" : "wait"
      let (program, arguments, line): (String, [String], String) =
        switch self {
        case .race: (try AllocationFixture.race.get(), ["0"], "running\n")
        case .classesInCPlusPlus:
          (try AllocationFixture.classesInCPlusPlus.get(), ["1000", way], "ready\n")
        case .dynamicSwift: (try AllocationFixture.classes.get(), ["1000", way], "ready\n")
        case .staticSwift: (try AllocationFixture.staticClasses.get(), ["1000", way], "ready\n")
        case .python:
          (
            "/usr/bin/python3",
            ["-c", "import sys, json, ctypes; print('ready', flush=True); sys.stdin.read()"],
            "ready\n"
          )
        }
      let target = try Program(program, arguments, folder: folder)
      try target.waitFor(line)
      return target
    }
  }

  @Test(arguments: Target.allCases)
  func slotsAreAsBeforeToTheByte(of kind: Target) throws {
    guard kind != .python || Place.has("/usr/bin/python3") else { return }
    try Place.withFolder { folder in
      let target = try kind.start(in: folder)
      let before = try OffsetTableSlots.read(target.pid, folder: folder)
      #expect(before.count > 5, "\(before)")
      let path = folder.appending(path: "a.wick").path
      let wick = try AllocationRecording.attach(
        to: target, ["--alloc=all", "--mmap", "-o", path], recording: path, folder: folder)
      let during = try OffsetTableSlots.read(target.pid, folder: folder)
      let patched = before.filter { during[$0.key] != $0.value }
      #expect(patched.keys.contains { $0.contains(" malloc ") || $0.contains(" malloc@") })
      #expect(patched.keys.contains { $0.contains("/libc.so.6 ") }, "\(patched.keys)")
      // While it serves the program, the program allocates.
      usleep(100_000)
      try AllocationRecording.stop(wick)
      let after = try OffsetTableSlots.read(target.pid, folder: folder)
      let left = before.filter { after[$0.key] != $0.value }
      #expect(left.isEmpty, "\(left)")
      target.closeInput()
      #expect(target.exitCode() == 0, "\(target.output)")
      print("\(kind): \(before.count) slots, \(patched.count) of them patched, \(left.count) left")
    }
  }

  /// By hand 200 times, by WICK_ATTACH_CYCLES.
  @Test(arguments: [
    (Target.race, "all"), (.race, "64k"), (.classesInCPlusPlus, "all"), (.dynamicSwift, "all"),
    (.staticSwift, "all"),
  ])
  func startsAndStopsUnderLoadLeaveNothing(kind: Target, interval: String) throws {
    try Place.withFolder { folder in
      let program = try kind.start(underLoad: true, in: folder)
      let before = try OffsetTableSlots.read(program.pid, folder: folder)
      let target = AttachedTarget(
        pid: program.pid, folder: folder, options: ["--alloc=\(interval)"])
      try target.cycle()
      let after = try OffsetTableSlots.read(program.pid, folder: folder)
      #expect(before.filter { after[$0.key] != $0.value }.isEmpty)
      program.closeInput()
      #expect(program.exitCode() == 0, "\(program.output)")
      #expect(kind != .race || program.output.contains("events "), "\(program.output)")
    }
  }

  /// What is live is right after any number of recordings before.
  @Test func laterRecordingIsAsRightAsTheFirst() throws {
    try Place.withFolder { folder in
      let program = try Program(
        try AllocationFixture.known.get(), ["2", "10", "wait"], folder: folder)
      try program.waitFor("ready\n")
      let target = AttachedTarget(pid: program.pid, folder: folder, options: ["--alloc=all"])
      for _ in 0..<3 { try target.attach() }
      let path = folder.appending(path: "last.wick").path
      let wick = try AllocationRecording.attach(
        to: program, ["--alloc=all", "-o", path], recording: path, folder: folder)
      program.say("\n")
      try program.waitFor("done\n")
      try AllocationRecording.stop(wick)
      let recording = AllocationRecording(path: path, folder: folder, output: program.output)
      try recording.expectComplete()
      let (all, live) = (
        try recording.functions("alloc_objects"), try recording.functions("inuse_objects")
      )
      for (site, numbers) in recording.truth("site_") {
        #expect(all[site]?.total ?? 0 == numbers[0], "\(site)")
        #expect(live[site]?.total ?? 0 == numbers[0] - numbers[2], "\(site)")
      }
    }
  }
}
