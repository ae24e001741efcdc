import Foundation
import Glibc
import Testing

/// Debug information from servers, and only from those that the user names.
@Suite(.serialized) struct DebuginfodTests {
  /// A stripped program `hot` in `folder`, whose debug file is in `folder/served`.
  private func makeProgram(in folder: URL) throws {
    let built = try Command.run(
      "/bin/sh",
      [
        "-c",
        """
        printf 'int twice(int x) { return x * 2; }\\nint main(void) { return twice(0); }\\n' > hot.c
        gcc -g -O0 -Wl,--build-id -o hot hot.c && mkdir served
        objcopy --only-keep-debug hot served/hot.debug && nm hot | grep ' twice' > place
        strip -s hot
        """,
      ], folder: folder)
    try #require(built.exitCode == 0, "\(built.errors)")
  }

  private func address(in folder: URL) throws -> String {
    let text = try String(contentsOf: folder.appending(path: "place"), encoding: .utf8)
    return "0x" + (text.split(separator: " ").first.map(String.init) ?? "")
  }

  private func symbolize(
    in folder: URL, servers: String?
  ) throws -> Command.Outcome {
    var environment = [
      "DEBUGINFOD_CACHE_PATH": folder.appending(path: "cache").path, "DEBUGINFOD_TIMEOUT": "5",
      "XDG_CACHE_HOME": folder.appending(path: "own").path,
    ]
    environment["DEBUGINFOD_URLS"] = servers ?? ""
    let settings = environment.map { "\($0.key)=\($0.value)" }
    return try Command.run(
      "/usr/bin/env", settings + [Command.wick, "symbolize", "-e", "hot", try address(in: folder)],
      folder: folder)
  }

  /// Runs Debian's server for `folder/served` on a free port of the loopback interface.
  private func withServer(in folder: URL, _ body: (String) throws -> Void) throws {
    let port = 20_000 + Int(getpid()) % 20_000
    let (server, _) = try Command.start(
      "/usr/bin/debuginfod",
      ["-p", "\(port)", "-d", ":memory:", "-F", folder.appending(path: "served").path],
      folder: folder)
    defer {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    let url = "http://127.0.0.1:\(port)"
    for _ in 0..<200 {
      let metrics = try Command.run("/usr/bin/curl", ["-s", "\(url)/metrics"], folder: folder)
      // Until it has read the file.
      if metrics.output.contains("scanned_files_total{source=\"file\"} 1") { break }
      usleep(50_000)
    }
    try body(url)
  }

  @Test func debugFileComesFromTheServer() throws {
    try Command.withFolder { folder in
      try makeProgram(in: folder)
      try withServer(in: folder) { url in
        #expect(try symbolize(in: folder, servers: nil).output.hasPrefix("??\n"))
        let outcome = try symbolize(in: folder, servers: url)
        #expect(outcome.output.hasPrefix("twice\n"), "\(outcome.output) \(outcome.errors)")
        #expect(outcome.output.contains("hot.c:1\n"))
      }
      // From its cache, or ours, without a server.
      #expect(try symbolize(in: folder, servers: nil).output.hasPrefix("twice\n"))
    }
  }

  @Test func serverThatIsNotThereDoesNoHarm() throws {
    try Command.withFolder { folder in
      try makeProgram(in: folder)
      let outcome = try symbolize(in: folder, servers: "http://127.0.0.1:9")
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == "??\n??:0\n\n")
    }
  }

  @Test func otherBuildIsRefused() throws {
    try Command.withFolder { folder in
      try makeProgram(in: folder)
      // In the cache, where the library trusts it.
      let notes = try Command.run("/usr/bin/readelf", ["-n", "hot"], folder: folder).output
      let id = try #require(
        notes.split(separator: "\n").first { $0.contains("Build ID: ") }?.split(separator: " ").last
      )
      let place = folder.appending(path: "cache/\(id)")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let built = try Command.run(
        "/bin/sh",
        [
          "-c",
          "printf 'int main(void) { return 7; }' > o.c && gcc -g -o '\(place.path)/debuginfo' o.c",
        ], folder: folder)
      try #require(built.exitCode == 0)
      let outcome = try symbolize(in: folder, servers: "http://127.0.0.1:9")
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == "??\n??:0\n\n")
    }
  }
}
