import Foundation
import Testing
import WickTestPrograms

/// The sample server's memory, seen as its users see it.
@Suite(
  .serialized, .timeLimit(.minutes(10)),
  .enabled(if: Place.has("/usr/bin/curl"), "requests are made by curl"))
struct SampleServerTests {
  /// What everybody asks for, and what is stored.
  private static let ordinary = [
    "users/[1-40]", "posts/[1-40]", "posts?after=[100-110]", "posts/[1-20]/comments",
    "tags/[1-20]/posts", "fast/feed?limit=100&after=[1-5]", "fast/comments?limit=100&after=[1-5]",
  ]

  private static func get(_ paths: [String], from address: String, folder: URL) throws {
    let words = paths.flatMap { ["-o", "/dev/null", "\(address)/\($0)"] }
    let run = try Program.run("/usr/bin/curl", ["-sSf", "-m", "60"] + words, folder: folder)
    try #require(run.exitCode == 0, "\(run.output)")
  }

  /// Records every allocation of a server while it answers `work`, and until then of what it is at rest.
  private func record(
    _ way: AllocationRecording.Way, _ server: String = "WickBlogServer", folder: URL,
    work: (_ address: String) throws -> Void
  ) throws -> AllocationRecording {
    let path = folder.appending(path: "server.wick").path
    let arguments = ["--port", "0", "--workers", "2"]
    let executable =
      server.contains("/") ? server : Program.products.appending(path: server).path
    let started =
      way == .preloaded
      ? try Program(
        "wick", ["record", "--alloc=all", "-o", path, "--", executable] + arguments, folder: folder)
      : try Program(executable, arguments, folder: folder)
    try started.waitFor("listening on http://")
    let address = try #require(started.address)
    let line = started.output.firstMatch(of: /pid ([0-9]+)/)
    let pid = try #require(line.flatMap { pid_t($0.output.1) })
    // What is made once is made by now.
    try Self.get(Self.ordinary, from: address, folder: folder)
    switch way {
    case .preloaded:
      try work(address)
      let stop = try Program.run("wick", ["stop", "\(pid)"], folder: folder)
      try #require(stop.exitCode == 0, "\(stop.output)")
    case .attached:
      let wick = try AllocationRecording.attach(
        to: started, ["--alloc=all"] + ["-o", path], recording: path, folder: folder)
      try work(address)
      try AllocationRecording.stop(wick)
    }
    kill(pid, SIGTERM)
    try #require(started.exitCode() == 0, "\(started.output)")
    return AllocationRecording(path: path, folder: folder, output: started.output)
  }

  @Test(arguments: AllocationRecording.Way.allCases)
  func lineThatAllocatesIsFirstUntilItIsCured(way: AllocationRecording.Way) throws {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Samples/BlogServer/Faults/QuadraticText.swift")
    let text = try String(contentsOf: source, encoding: .utf8).components(separatedBy: "\n")
    let fault = try #require(text.firstIndex { $0.contains("text = line(post) + text") }) + 1
    for side in ["slow", "fast"] {
      try Place.withFolder { folder in
        let recording = try record(way, folder: folder) { address in
          let paths = ["\(side)/export?limit=[1998-2001]"] + Self.ordinary
          try Self.get(paths, from: address, folder: folder)
        }
        let lines = try recording.lines("alloc_space")
        try #require(lines.count > 20)
        let isThere = lines.map {
          $0.line == fault && $0.file?.hasSuffix("/Faults/QuadraticText.swift") == true
        }
        #expect(isThere[0] == (side == "slow"), "\(side): \(lines[0])")
        #expect(isThere.filter(\.self).count == (side == "slow" ? 1 : 0), "\(side)")
        if side == "slow" {
          let all = lines.reduce(0) { $0 + $1.`self` }
          #expect(lines[0].`self` * 2 > all)
        }
      }
    }
  }

  /// Everything that the Swift runtime allocates as an object, by bytes.
  @Test(arguments: [false, true])
  func swiftObjectsHaveTypes(isStripped: Bool) throws {
    try Place.withFolder { folder in
      let original = Program.products.appending(path: "WickBlogServer").path
      let server = folder.appending(path: "server").path
      let strip = try Program.run(
        "/usr/bin/env",
        isStripped ? ["strip", "-s", "-o", server, original] : ["cp", original, server],
        folder: folder)
      try #require(strip.exitCode == 0, "\(strip.output)")
      let recording = try record(.preloaded, server, folder: folder) { address in
        let faults = ["feed", "posts", "comments", "calendar", "export?limit=500"]
        try Self.get(
          faults.map { "slow/\($0)" } + Self.ordinary, from: address, folder: folder)
      }
      let types = try recording.types("alloc_space", ["--focus", "swift_allocObject"])
      let all = types.values.reduce(0) { $0 + $1.total }
      let untyped = types.filter { ["", "[untyped]"].contains($0.key) }.values.reduce(0) {
        $0 + $1.total
      }
      try #require(all > 10 << 20)
      #expect(untyped * 100 <= all, "\(untyped) of \(all)")
      // Names, not kinds alone; those of the program, of its libraries, and generic ones.
      for name in [
        "WickBlogServer.Blog", "Swift.__StringStorage", "Foundation.DateFormatter",
        "Swift._ContiguousArrayStorage<WickBlogServer.Post>",
      ] {
        #expect(types[name]?.total ?? 0 > 0, "\(name)")
      }
    }
  }

  /// At rest, after a warm start, with what `mallinfo2` says at that moment.
  ///
  /// It counts what malloc adds to each block: 8 bytes, and what rounds these up to a multiple of 16, at
  /// least to 32. Blocks that threads keep for their next allocation would be in use for it, too: there
  /// are none here.
  @Test func liveBytesAgreeWithTheAllocators() throws {
    try Place.withFolder { folder in
      setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1)
      defer { unsetenv("GLIBC_TUNABLES") }
      var answer = ""
      let recording = try record(.preloaded, folder: folder) { address in
        let faults = ["slow/feed", "slow/posts", "slow/calendar", "slow/export?limit=500"]
        try Self.get(faults + Self.ordinary, from: address, folder: folder)
        answer = try Program.run("/usr/bin/curl", ["-sS", "\(address)/memory"], folder: folder)
          .output
      }
      try recording.expectComplete()
      struct Memory: Decodable {
        var inUse: Int64
      }
      let inUse = try JSONDecoder().decode(Memory.self, from: Data(answer.utf8)).inUse
      let account = try recording.account()
      let difference = inUse - account.inuse_space
      #expect(difference >= 8 * account.inuse_objects, "\(inUse) \(account)")
      #expect(difference * 50 <= inUse, "\(inUse) \(account)")
    }
  }
}
