import Foundation
import Testing

/// How the server starts and ends.
@Suite(.timeLimit(.minutes(2)))
struct BlogServerLifeTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "blog-test-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func stopsOnSignalWithoutLeftovers(_ signal: Int32) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let client = try BlogClient(environment: ["TMPDIR": folder.path])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    #expect(client.stop(signal) == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func keepsWhatIsWrittenToItsFile() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "a b#c?.sqlite").path
    let first = try BlogClient(arguments: ["--database", file, "--workers", "2"])
    let made = try await first.send("POST", "/tags", #"{"name": "kept"}"#)
    let id = try #require(try made.object["id"] as? Int)
    #expect(first.stop() == 0)
    // A closed database has no write-ahead log beside it.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a b#c?.sqlite"])

    let second = try BlogClient(environment: ["BLOG_DATABASE": file])
    let found = try await second.get("/tags/\(id)")
    #expect(second.stop() == 0)
    #expect(found.body == made.body)
  }

  @Test func seedIsTheSameEveryTime() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let inMemory = try BlogClient(arguments: ["--database", ":memory:"])
    let inFile = try BlogClient()
    for path in ["/posts?after=7777&limit=100", "/comments?after=44444&limit=100", "/fast/feed"] {
      #expect(try await inMemory.get(path).body == inFile.get(path).body)
    }
    #expect(inMemory.stop() == 0)
    #expect(inFile.stop() == 0)
  }

  @Test func refusesDatabasesThatAreNotTheBlogs() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "text").path
    try Data(repeating: 0x41, count: 5_000).write(to: URL(filePath: file))
    let program = try SampleProgram("WickBlogServer", ["--port", "0", "--database", file])
    #expect(program.exitCode() == 1)
  }

  @Test func refusesPortsThatAreTaken() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try BlogClient()
    let port = try #require(first.address.split(separator: ":").last)
    let second = try SampleProgram("WickBlogServer", ["--port", String(port)])
    #expect(second.waitForLine(containing: "cannot listen on 127.0.0.1:\(port)") != nil)
    #expect(second.exitCode() == 1)
    #expect(first.stop() == 0)
  }

  @Test(arguments: [["--port", "65536"], ["--workers", "0"], ["--nothing", "1"], ["--port"]])
  func refusesOptionsThatCannotBe(_ arguments: [String]) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try SampleProgram("WickBlogServer", arguments).exitCode() == 2)
  }
}
