import Foundation

/// One HTTP response.
struct Response {
  enum Status {
    case ok, created, noContent
    case badRequest, notFound, methodNotAllowed, conflict, contentTooLarge, internalError

    var code: Int {
      switch self {
      case .ok: 200
      case .created: 201
      case .noContent: 204
      case .badRequest: 400
      case .notFound: 404
      case .methodNotAllowed: 405
      case .conflict: 409
      case .contentTooLarge: 413
      case .internalError: 500
      }
    }

    var reason: String {
      switch self {
      case .ok: "OK"
      case .created: "Created"
      case .noContent: "No Content"
      case .badRequest: "Bad Request"
      case .notFound: "Not Found"
      case .methodNotAllowed: "Method Not Allowed"
      case .conflict: "Conflict"
      case .contentTooLarge: "Content Too Large"
      case .internalError: "Internal Server Error"
      }
    }
  }

  var status = Status.ok
  var headers: [(name: String, value: String)] = []
  var body = Data()

  static func json(_ body: Data, status: Status = .ok) -> Response {
    Response(status: status, headers: [("Content-Type", "application/json")], body: body)
  }

  static func csv(_ text: String) -> Response {
    Response(headers: [("Content-Type", "text/csv; charset=utf-8")], body: Data(text.utf8))
  }
}
