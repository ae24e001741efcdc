/// A request that is answered with an error.
enum Failure: Error {
  case badRequest(String)
  case notFound
  case methodNotAllowed([Request.Method])
  case conflict(String)
  case contentTooLarge

  var status: Response.Status {
    switch self {
    case .badRequest: .badRequest
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .conflict: .conflict
    case .contentTooLarge: .contentTooLarge
    }
  }

  var message: String {
    switch self {
    case .badRequest(let message), .conflict(let message): message
    case .contentTooLarge: "the body is larger than \(Request.largestBody) bytes"
    case .notFound: "there is no such thing here"
    case .methodNotAllowed: "this method is not allowed here"
    }
  }
}
