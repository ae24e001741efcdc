import Foundation

extension Blog {
  /// Finds who answers a path.
  func route(_ request: Request) throws -> Response {
    guard request.body.count <= Request.largestBody else { throw Failure.contentTooLarge }
    switch request.path.first {
    case "health" where request.path.count == 1:
      try request.allow(.get)
      return try json(["status": "ok"])
    case "memory" where request.path.count == 1:
      try request.allow(.get)
      return try json(HeapSize.now)
    case "users": return try serve(Users(database: database), request)
    case "posts": return try serve(Posts(database: database), request)
    case "comments": return try serve(Comments(database: database), request)
    case "tags": return try serve(Tags(database: database), request)
    case "slow", "fast":
      guard request.path.count == 2, let twin = Twin.all[request.path[1]] else {
        throw Failure.notFound
      }
      try request.allow(.get)
      return try request.path[0] == "slow" ? twin.slow(self, request) : twin.fast(self, request)
    default: throw Failure.notFound
    }
  }

  /// Serves `/name`, `/name/ID` and `/name/ID/children` of one resource.
  private func serve(_ resource: some Resource, _ request: Request) throws -> Response {
    if request.path.count == 1 {
      return try serveCollection(resource, request)
    }
    guard let id = Int(request.path[1]), id > 0 else { throw Failure.notFound }
    switch request.path.count {
    case 2: return try serveItem(resource, id, request)
    case 3: return try serveChildren(resource, id, request)
    default: throw Failure.notFound
    }
  }

  private func serveCollection(_ resource: some Resource, _ request: Request) throws -> Response {
    try request.allow(.get, .post)
    guard request.method == .post else {
      return try json(resource.list(try PageRequest(request)))
    }
    let item = try resource.create(try draft(for: resource, request))
    var response = try json(item, status: .created)
    response.headers.append(("Location", "/\(request.path[0])/\(item.id)"))
    return response
  }

  private func serveItem(_ resource: some Resource, _ id: Int, _ request: Request) throws
    -> Response
  {
    try request.allow(.get, .put, .delete)
    switch request.method {
    case .put:
      guard let item = try resource.replace(id, with: try draft(for: resource, request)) else {
        throw Failure.notFound
      }
      return try json(item)
    case .delete:
      guard try resource.delete(id) else { throw Failure.notFound }
      return Response(status: .noContent)
    default:
      guard let item = try resource.find(id) else { throw Failure.notFound }
      return try json(item)
    }
  }

  private func serveChildren(
    _ resource: some Resource, _ id: Int, _ request: Request
  ) throws -> Response {
    guard let list = resource.children(request.path[2]) else { throw Failure.notFound }
    try request.allow(.get)
    guard try resource.find(id) != nil else { throw Failure.notFound }
    return try json(try list(id, try PageRequest(request)))
  }

  private func draft<R: Resource>(for resource: R, _ request: Request) throws -> R.Draft {
    guard let draft = try? decoder.decode(R.Draft.self, from: request.body) else {
      throw Failure.badRequest("the body must be JSON with the fields of one item")
    }
    try draft.check()
    return draft
  }
}
