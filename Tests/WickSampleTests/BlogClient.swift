import Foundation
import FoundationNetworking
import Testing

/// A running blog server on a free port, and requests to it.
struct BlogClient: Sendable {
  let program: SampleProgram
  let address: String

  struct Answer {
    let status: Int
    let headers: [AnyHashable: Any]
    let body: Data

    /// The body as a JSON object.
    var object: [String: Any] {
      get throws { try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any]) }
    }

    /// The objects of a page.
    var items: [[String: Any]] {
      get throws { try #require(try object["items"] as? [[String: Any]]) }
    }

    func header(_ name: String) -> String? { headers[name] as? String }
  }

  /// Starts a server with a database of its own, or with this one.
  init(arguments: [String] = [], environment: [String: String] = [:]) throws {
    program = try SampleProgram(
      "WickBlogServer", ["--port", "0"] + arguments, environment: environment)
    let line = try #require(program.waitForLine(containing: "listening on http://"))
    address = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+/)).output.description
  }

  func send(_ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
    var request = URLRequest(url: try #require(URL(string: address + path)))
    request.httpMethod = method
    request.httpBody = body.map { Data($0.utf8) }
    let (data, response) = try await URLSession.shared.data(for: request)
    let http = try #require(response as? HTTPURLResponse)
    return Answer(status: http.statusCode, headers: http.allHeaderFields, body: data)
  }

  func get(_ path: String) async throws -> Answer {
    try await send("GET", path)
  }

  /// Stops the server and gives its exit code.
  func stop(_ signal: Int32 = SIGTERM) -> Int32 {
    program.send(signal)
    return program.exitCode()
  }
}

/// Runs a suite against one server, which is stopped after it.
struct WithBlogServer: SuiteTrait, TestScoping {
  @TaskLocal static var client: BlogClient?

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let client = try BlogClient()
    do {
      try await Self.$client.withValue(client, operation: function)
    } catch {
      _ = client.stop()
      throw error
    }
    #expect(client.stop() == 0)
  }
}
