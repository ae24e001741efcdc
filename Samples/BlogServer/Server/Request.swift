import CWickSampleEvent
import Foundation

/// One HTTP request, copied out of libevent.
struct Request {
  enum Method: String {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case other = ""
  }

  /// In bytes.
  static let largestBody = 1 << 20

  let method: Method
  /// The path's parts, `["posts", "7"]` for `/posts/7`.
  let path: [Substring]
  let body: Data
  private let query: [Substring: String]

  init(_ request: OpaquePointer) {
    method =
      switch evhttp_request_get_command(request) {
      case EVHTTP_REQ_GET: .get
      case EVHTTP_REQ_POST: .post
      case EVHTTP_REQ_PUT: .put
      case EVHTTP_REQ_DELETE: .delete
      default: .other
      }
    let uri = evhttp_request_get_evhttp_uri(request)
    path = Self.text(evhttp_uri_get_path(uri)).split(separator: "/")
    query = Self.parameters(of: Self.text(evhttp_uri_get_query(uri)))
    let buffer = evhttp_request_get_input_buffer(request)
    var body = Data(count: evbuffer_get_length(buffer))
    body.withUnsafeMutableBytes { bytes in
      _ = evbuffer_copyout(buffer, bytes.baseAddress, bytes.count)
    }
    self.body = body
  }

  /// Reads a whole number from the query.
  ///
  /// - Parameters:
  ///   - name: The parameter's name.
  ///   - range: The values that are allowed.
  ///   - fallback: What it is when it is not given; without one it must be given.
  /// - Returns: The number.
  /// - Throws: ``Failure/badRequest(_:)`` for anything else.
  func integer(
    _ name: String, in range: ClosedRange<Int>, default fallback: Int? = nil
  ) throws(Failure) -> Int {
    guard let text = query[name[...]] else {
      guard let fallback else { throw .badRequest("the parameter '\(name)' is missing") }
      return fallback
    }
    guard let value = Int(text), range ~= value else {
      throw .badRequest(
        "the parameter '\(name)' must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Refuses every other method.
  func allow(_ methods: Method...) throws(Failure) {
    guard methods.contains(method) else { throw .methodNotAllowed(methods) }
  }

  private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
  }

  private static func parameters(of query: String) -> [Substring: String] {
    var parameters: [Substring: String] = [:]
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count == 2 ? String(parts[1]) : ""
      parameters[parts[0]] = value.removingPercentEncoding ?? value
    }
    return parameters
  }
}
