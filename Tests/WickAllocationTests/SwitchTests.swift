import Foundation
import Testing
import WickTestPrograms

/// What is recorded can be changed while it is, and chosen.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SwitchTests {
  /// All, one in 64 KiB, none, and all again: what was followed stays so to its free.
  @Test func numbersAreRightWhateverIsFollowed() throws {
    try Place.withFolder { folder in
      let target = try Program(try AllocationFixture.phases.get(), ["wait"], folder: folder)
      try target.waitFor("phase 1\n")
      let path = folder.appending(path: "switched.wick").path
      let wick = try AllocationRecording.attach(
        to: target, ["--alloc=all", "-o", path], recording: path, folder: folder)
      func expectFollowed(_ size: String, _ words: String) throws {
        let status = try Program.run("wick", ["status", "\(target.pid)"], folder: folder)
        #expect(status.output.contains("\nMemory     \(words) followed\n"), "\(status)")
        let list = try Program.run("wick", ["list"], folder: folder)
        let row = list.output.split(separator: "\n").first { $0.contains("\(target.pid)  ") }
        #expect(
          try #require(row).split(separator: " ").contains(Substring(size)), "\(list.output)")
      }
      try expectFollowed("all", "every allocation is")
      for (phase, size, words) in [
        (2, "64k", "one allocation in 65,536 bytes is"), (3, "off", "no allocation is"),
        (4, "all", "every allocation is"),
      ] {
        target.say("\n")
        try target.waitFor("phase \(phase)\n")
        let change = try Program.run(
          "wick", ["switch", "--alloc=\(size)", "\(target.pid)"], folder: folder)
        try #require(change.exitCode == 0, "\(change.output)")
        #expect(change.output.hasSuffix(": \(words) followed\n"))
        try expectFollowed(size == "off" ? "-" : size, words)
      }
      target.say("\n")
      try target.waitFor("done\n")
      try AllocationRecording.stop(wick)
      target.closeInput()
      #expect(target.exitCode() == 0, "\(target.output)")

      let recording = AllocationRecording(path: path, folder: folder)
      let account = try recording.account()
      #expect(account.intervals == [1, 65_536])
      try recording.expectNothingLost()
      let names = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "followed"]
      let found = try names.map { try recording.functions($0) }
      for (place, numbers) in [
        ("place_first", [1000, 1_000_000, 250, 250_000, 1000]), ("place_third", [0, 0, 0, 0, 0]),
        ("place_fourth", [300, 90_000, 300, 90_000, 300]),
      ] {
        #expect(found.map { $0[place]?.total ?? 0 } == numbers.map(Int64.init), "\(place)")
        #expect(found.allSatisfy { $0[place]?.totalInterval == nil }, "\(place)")
      }
      // 8 MiB, of which about 128 were followed: five standard deviations.
      let bytes = try #require(found[1]["place_second"])
      let truth = 8192.0 * 1024
      #expect(abs(Double(bytes.total) - truth) < 5 * (truth * 65_536).squareRoot(), "\(bytes)")
      #expect(bytes.totalInterval != nil)
      #expect(found[2...3].allSatisfy { $0["place_second"]?.total ?? 0 == 0 })
      // What was not followed in the second and third phase was not known when it was freed.
      let followed = try #require(found[4]["place_second"]?.total)
      #expect(Int64(account.unknownFrees) == 8192 - followed + 200)
    }
  }

  @Test(arguments: [false, true]) func mappingsCountOnRequest(isAsked: Bool) throws {
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(
        .preloaded, try AllocationFixture.phases.get(), [], more: isAsked ? ["--mmap"] : [],
        folder: folder)
      try recording.expectNothingLost()
      let names = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
      let found = try names.map { try recording.functions($0)["place_mapped"]?.total ?? 0 }
      #expect(found == (isAsked ? [3, 24 << 20, 2, 16 << 20] : [0, 0, 0, 0]))
      #expect(try recording.functions("alloc_objects")["place_first"]?.total == 1000)
    }
  }

  #if arch(x86_64)
    @Test func referencesAreCountedBesideAllocations() throws {
      try Place.withFolder { folder in
        let recording = try AllocationRecording.make(
          .preloaded, try AllocationFixture.references.get(), [], more: ["--arc"], folder: folder)
        #expect(recording.output.contains("sum 1503\n"), "\(recording.output)")
        try recording.expectNothingLost()
        let leaf = "references.Leaf"
        #expect(try recording.types("retains")[leaf]?.total == 500)
        #expect(try recording.types("releases")[leaf]?.total == 501)
        #expect(try recording.types("alloc_objects")[leaf]?.total == 1)
        let taken = try recording.functions("retains")
        #expect(taken.first { $0.key.hasPrefix("fill(") }?.value.total ?? 0 >= 500, "\(taken.keys)")
      }
    }
  #endif
}
