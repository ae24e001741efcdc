import Foundation
import Glibc
import Testing
import WickAgent

/// The agent in this very process, through its Swift API.
@Suite(.serialized) struct WickAgentTests {
  private func withPath(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "own.wick").path)
  }

  private func burn(seconds: Double) {
    var sum = 0.0
    let end = Double(clock()) + seconds * Double(CLOCKS_PER_SEC)
    while Double(clock()) < end {
      for number in 0..<1000 { sum += Double(number).squareRoot() }
    }
    #expect(sum > 0)
  }

  /// The engines that work here; perf events are denied to most normal users.
  static let engines: [Wick.Engine] = {
    let path = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: path) }
    guard (try? Wick.start(output: path.path, engine: .perf)) != nil else {
      print("perf events are not permitted: only the timer engines are tested")
      return [.best, .timer, .processTimer]
    }
    Wick.stop()
    return [.best, .perf, .perfSignal, .timer, .processTimer]
  }()

  /// What must be as it was after a recording; descriptors by what they point to.
  private func descriptors() throws -> Set<String> {
    let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    return Set(
      names.compactMap { name in
        let target = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/\(name)")
        return target.flatMap { $0.contains("perf_event") || $0.contains(".wick") ? $0 : nil }
      })
  }

  private func threadNames() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").compactMap {
      try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)
    }
  }

  @Test(arguments: engines)
  func recordsAndStops(engine: Wick.Engine) throws {
    try withPath { path in
      #expect(!Wick.isRunning)
      try Wick.start(output: path, rate: 997, engine: engine)
      #expect(Wick.isRunning)
      burn(seconds: 0.2)
      #expect(Wick.stop())
      #expect(!Wick.isRunning)
      #expect(!Wick.stop())
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      #expect(try #require(size) > 500)
      #expect(try descriptors().isEmpty)
    }
  }

  @Test func secondStartIsRefusedAndHarmless() throws {
    try withPath { path in
      try Wick.start(output: path)
      #expect(throws: Wick.StartError.alreadyRunning) { try Wick.start(output: path + "2") }
      #expect(Wick.isRunning)
      Wick.stop()
      #expect(!FileManager.default.fileExists(atPath: path + "2"))
    }
  }

  @Test(arguments: [0, -1, 10_001]) func rateIsChecked(rate: Int) {
    #expect(throws: Wick.StartError.rateOutOfRange) { try Wick.start(rate: rate) }
  }

  @Test(arguments: [0, -1, 1 + 1 << 40, Int.max, Int.min])
  func allocationIntervalIsChecked(bytes: Int) {
    #expect(throws: Wick.StartError.intervalOutOfRange) {
      try Wick.start(allocations: .sampled(every: bytes))
    }
    #expect(!Wick.isRunning)
    #expect(throws: Wick.AllocationsError.intervalOutOfRange) {
      try Wick.setAllocations(.sampled(every: bytes))
    }
  }

  @Test func allocationsAreNotSwitchedWithoutARecording() {
    for allocations: Wick.Allocations? in [nil, .every, .sampled(), .sampled(every: 1 << 40)] {
      #expect(throws: Wick.AllocationsError.notRunning) { try Wick.setAllocations(allocations) }
    }
  }

  @Test(arguments: [Wick.Allocations.sampled(), .sampled(every: 4096), .every])
  func recordsWithAllocations(allocations: Wick.Allocations) throws {
    try withPath { path in
      try Wick.start(output: path, rate: 997, allocations: allocations, followsMappings: true)
      burn(seconds: 0.1)
      #expect(Wick.stop())
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      #expect(try #require(size) > 500)
      #expect(try descriptors().isEmpty)
    }
  }

  /// Each part's blocks are taken at a place of its own.
  @inline(never) private func takeFirst() -> UnsafeMutableRawPointer? { malloc(1000) }
  @inline(never) private func takeUnseen() -> UnsafeMutableRawPointer? { malloc(1000) }
  @inline(never) private func takeLast() -> UnsafeMutableRawPointer? { malloc(300) }

  @Test func allocationsAreSwitchedWhileTheyAreRecorded() throws {
    try withPath { path in
      try Wick.start(output: path, allocations: .every)
      let first = (0..<100).map { _ in takeFirst() }
      try Wick.setAllocations(nil)
      let unseen = (0..<100).map { _ in takeUnseen() }
      first.prefix(60).forEach { free($0) }
      try Wick.setAllocations(.every)
      let last = (0..<50).map { _ in takeLast() }
      try Wick.setAllocations(.sampled())
      first.suffix(40).prefix(10).forEach { free($0) }
      #expect(Wick.stop())
      (first.suffix(30) + unseen + last).forEach { free($0) }
      let wick = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "wick").path
      for (value, bytes) in [
        ("alloc_space", ["takeFirst": 100_000, "takeUnseen": 0, "takeLast": 15_000]),
        ("inuse_space", ["takeFirst": 30_000, "takeUnseen": 0, "takeLast": 15_000]),
      ] {
        let folded = try UnwindProgram.run(wick, ["folded", "--value", value, path])
        try #require(folded.status == 0, "\(folded.errors)")
        let lines = folded.text.split(separator: "\n")
        for (place, truth) in bytes {
          let found = lines.filter { $0.contains(place) }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
          #expect(found.reduce(0, +) == truth, "\(value) \(place)")
        }
      }
    }
  }

  @Test func missingFolderIsAnError() {
    #expect(throws: Wick.StartError.cannotCreate(errno: ENOENT)) {
      try Wick.start(output: "/nonexistent/folder/x.wick")
    }
    #expect(!Wick.isRunning)
  }

  @Test func deviceIsNoRecording() {
    #expect(throws: Wick.StartError.cannotCreate(errno: EINVAL)) {
      try Wick.start(output: "/dev/null")
    }
  }

  @Test func durationEndsTheRecording() throws {
    try withPath { path in
      try Wick.start(output: path, duration: .milliseconds(100))
      for _ in 0..<200 where Wick.isRunning { usleep(20_000) }
      #expect(!Wick.isRunning)
    }
  }

  @Test(arguments: engines)
  func hundredRecordingsLeaveNothingBehind(engine: Wick.Engine) throws {
    try withPath { path in
      for _ in 0..<100 {
        try Wick.start(output: path, rate: 4999, engine: engine)
        burn(seconds: 0.002)
        Wick.stop()
      }
      #expect(try descriptors().isEmpty)
      // The thread has said its last word before it ends: the kernel may need a moment.
      var names = try threadNames()
      for _ in 0..<200 where names.contains("wick-writer\n") {
        usleep(10_000)
        names = try threadNames()
      }
      #expect(!names.contains("wick-writer\n"))
      // Signals that were still on their way find a handler that lets nothing in.
      burn(seconds: 0.05)
    }
  }
}
