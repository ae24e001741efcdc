import Foundation
import Testing

@Suite(WithBlogServer(), .timeLimit(.minutes(2)))
struct BlogServerTests {
  let client: BlogClient

  init() throws {
    client = try #require(WithBlogServer.client)
  }

  @Test func saysThatItIsHealthy() async throws {
    let answer = try await client.get("/health")
    #expect(answer.status == 200)
    #expect(try answer.object as? [String: String] == ["status": "ok"])
  }

  @Test(arguments: ["/health", "/users/1", "/nothing", "/users?limit=0", "/slow/posts"])
  func everyAnswerCarriesItsProcessTime(_ path: String) async throws {
    let time = try #require(try await client.get(path).header("X-Process-Time"))
    #expect(time.wholeMatch(of: /[0-9]+\.[0-9]{6}/) != nil, "\(time)")
  }

  @Test func madeUserCanBeReadReplacedAndDeleted() async throws {
    let made = try await client.send(
      "POST", "/users", #"{"name": "Lin \"Q\" é", "email": "lin@example.org"}"#)
    #expect(made.status == 201)
    let id = try #require(try made.object["id"] as? Int)
    #expect(made.header("Location") == "/users/\(id)")
    #expect(try await client.get("/users/\(id)").body == made.body)

    let taken = try await client.send(
      "POST", "/users", #"{"name": "Second", "email": "lin@example.org"}"#)
    #expect(taken.status == 409)

    let replaced = try await client.send(
      "PUT", "/users/\(id)", #"{"name": "New", "email": "new@example.org"}"#)
    #expect(replaced.status == 200)
    #expect(try replaced.object["name"] as? String == "New")

    #expect(try await client.send("DELETE", "/users/\(id)").status == 204)
    #expect(try await client.get("/users/\(id)").status == 404)
    #expect(try await client.send("DELETE", "/users/\(id)").status == 404)
  }

  @Test func postsHaveTagsAndTakeTheirCommentsWithThem() async throws {
    let made = try await client.send(
      "POST", "/posts",
      #"{"author": 1, "title": "T", "body": "B", "tags": ["tag-9", "made-by-a-test", "tag-9"]}"#)
    #expect(made.status == 201)
    #expect(try made.object["tags"] as? [String] == ["made-by-a-test", "tag-9"])
    let post = try #require(try made.object["id"] as? Int)
    #expect(try await client.get("/posts/\(post)/tags").items.count == 2)

    let comment = try await client.send(
      "POST", "/comments", #"{"post": \#(post), "author": 2, "body": "Yes."}"#)
    #expect(comment.status == 201)
    let id = try #require(try comment.object["id"] as? Int)
    #expect(try await client.get("/posts/\(post)/comments").items.map { $0["id"] as? Int } == [id])

    let replaced = try await client.send(
      "PUT", "/posts/\(post)", #"{"author": 1, "title": "U", "body": "B", "tags": ["tag-3"]}"#)
    #expect(try replaced.object["tags"] as? [String] == ["tag-3"])
    let other = try await client.send(
      "PUT", "/comments/\(id)", #"{"post": \#(post), "author": 2, "body": "No."}"#)
    #expect(try other.object["body"] as? String == "No.")

    #expect(try await client.send("DELETE", "/posts/\(post)").status == 204)
    #expect(try await client.get("/comments/\(id)").status == 404)
  }

  @Test func madeTagCanBeReadReplacedAndDeleted() async throws {
    let made = try await client.send("POST", "/tags", #"{"name": "fresh"}"#)
    #expect(made.status == 201)
    let id = try #require(try made.object["id"] as? Int)
    let replaced = try await client.send("PUT", "/tags/\(id)", #"{"name": "stale"}"#)
    #expect(try replaced.object["name"] as? String == "stale")
    #expect(try await client.get("/tags/\(id)/posts").items.isEmpty)
    #expect(try await client.send("DELETE", "/tags/\(id)").status == 204)
    #expect(try await client.get("/tags/\(id)").status == 404)
  }

  @Test(arguments: ["/users?limit=", "/users?limit=101", "/posts?after=x", "/fast/commented"])
  func refusesParametersThatCannotBe(_ path: String) async throws {
    let answer = try await client.get(path)
    #expect(answer.status == 400)
    #expect(try answer.object["error"] is String)
  }

  @Test(arguments: [
    ("/users", "{"), ("/users", #"{"name": "No address"}"#), ("/posts", "[]"),
    ("/users", #"{"name": "", "email": "a@b"}"#), ("/tags", #"{"name": 7}"#),
  ])
  func refusesBodiesThatCannotBe(_ path: String, _ body: String) async throws {
    #expect(try await client.send("POST", path, body).status == 400)
  }

  @Test func refusesCommentsOnNothing() async throws {
    let answer = try await client.send(
      "POST", "/comments", #"{"post": 99999999, "author": 1, "body": "Hello?"}"#)
    #expect(answer.status == 409)
  }

  @Test func refusesBodiesThatAreTooLarge() async throws {
    let name = String(repeating: "x", count: 1 << 20)
    let answer = try await client.send("POST", "/users", #"{"name": "\#(name)", "email": "a@b"}"#)
    #expect(answer.status == 413)
  }

  @Test(arguments: ["/", "/users/0", "/users/1/pets", "/users/1/posts/1", "/fast", "/slow/none"])
  func knowsNothingElse(_ path: String) async throws {
    #expect(try await client.get(path).status == 404)
  }

  @Test(arguments: [
    ("PUT", "/users", "GET, POST"), ("POST", "/users/1", "GET, PUT, DELETE"),
    ("DELETE", "/health", "GET"), ("POST", "/fast/feed", "GET"),
    ("PATCH", "/tags/1", "GET, PUT, DELETE"),
  ])
  func saysWhichMethodsAreAllowed(_ method: String, _ path: String, _ allowed: String) async throws
  {
    let answer = try await client.send(method, path, "{}")
    #expect(answer.status == 405)
    #expect(answer.header("Allow") == allowed)
  }

  @Test func pagesCoverTheListWithoutGapsOrRepeats() async throws {
    var seen: [Int] = []
    var path = "/tags/5/posts?limit=50"
    while true {
      let page = try await client.get(path)
      seen += try page.items.compactMap { $0["id"] as? Int }
      guard let next = try page.object["next"] as? Int else { break }
      path = "/tags/5/posts?limit=50&after=\(next)"
    }
    #expect(seen.count > 100)
    #expect(zip(seen, seen.dropFirst()).allSatisfy(<))
  }

  @Test(arguments: [
    "feed?limit=100", "feed?after=9990", "comment-count?user=7", "comment-count?user=999999",
    "posts", "posts?after=300&limit=7", "posts?after=99999", "export?limit=300", "export",
    "comments?limit=100", "comments?after=99999999", "calendar?after=40&limit=60",
    "commented?user=3", "commented?user=3&after=5000&limit=5",
  ])
  func slowAndFastTwinsAnswerAlike(_ path: String) async throws {
    // The other tests change only what they made themselves, after the rows of the seed; lists
    // that reach these rows may differ, unless nothing happens between the two requests.
    for attempt in 1...5 {
      let slow = try await client.get("/slow/\(path)")
      let fast = try await client.get("/fast/\(path)")
      if slow.body == fast.body || attempt == 5 {
        #expect(slow.status == fast.status)
        #expect(slow.header("Content-Type") == fast.header("Content-Type"))
        #expect(slow.body == fast.body)
        #expect(!slow.body.isEmpty)
        return
      }
    }
  }

  @Test func hasTheRowsOfTheSeed() async throws {
    #expect(try await client.get("/users?after=1999&limit=1").items.count == 1)
    #expect(try await client.get("/posts?after=9999&limit=1").items.count == 1)
    #expect(try await client.get("/comments?after=49999&limit=1").items.count == 1)
    #expect(try await client.get("/tags?after=99&limit=1").items.count == 1)
  }

  @Test func answersManyClientsAtOnceOnNamedThreads() async throws {
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for id in 1...200 {
        group.addTask { try await client.get("/posts/\(id)").status }
      }
      return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(statuses == Array(repeating: 200, count: 200))
    let tasks = "/proc/\(client.program.id)/task"
    let names = try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap {
      try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)
    }
    let workers = names.filter { $0.hasPrefix("blog-worker-") }
    #expect(Set(workers).count == 4)
  }
}
