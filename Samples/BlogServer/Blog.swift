import Foundation

/// What one worker needs to answer requests: its own database connection, coders and formatter.
final class Blog {
  let database: Database
  let encoder = Blog.makeEncoder()
  let decoder = JSONDecoder()
  let dayFormatter = DayFormatter.make()

  init(database: Database) {
    self.database = database
  }

  /// Sorted keys, so that equal values are equal bytes.
  static func makeEncoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// Answers a request, with an error's status and a JSON message where it cannot be followed.
  func answer(_ request: Request) -> Response {
    do {
      return try route(request)
    } catch let failure as Failure {
      return answer(failure, to: request)
    } catch let error as DatabaseError where error.breaksConstraint {
      return answer(
        .conflict("it refers to something that is not there, or exists already"), to: request)
    } catch {
      log("\(request.path.joined(separator: "/")): \(error)")
      return Response(status: .internalError)
    }
  }

  func json(_ value: some Encodable, status: Response.Status = .ok) throws -> Response {
    .json(try encoder.encode(value), status: status)
  }

  private func answer(_ failure: Failure, to request: Request) -> Response {
    guard let body = try? encoder.encode(["error": failure.message]) else {
      return Response(status: failure.status)
    }
    // A response to HEAD, which no path knows, may carry no body.
    var response = request.method == .other ? Response() : .json(body)
    response.status = failure.status
    if case .methodNotAllowed(let allowed) = failure {
      response.headers.append(("Allow", allowed.map(\.rawValue).joined(separator: ", ")))
    }
    return response
  }
}
