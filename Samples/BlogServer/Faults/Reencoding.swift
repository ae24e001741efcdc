import Foundation

/// `comments?after=&limit=`: a page of comments.
///
/// The fault: each comment gets an encoder of its own and is encoded, decoded and encoded again,
/// as happens where layers hand each other JSON.
enum Reencoding {
  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    let page = try Comments(database: blog.database).list(try PageRequest(request))
    let items = try page.items.map { try encodeDecodeEncode($0) }
    var body = Data("{\"items\":[".utf8)
    body.append(contentsOf: items.joined(separator: Data(",".utf8)))
    body.append(contentsOf: Data("]".utf8))
    if let next = page.next {
      body.append(contentsOf: Data(",\"next\":\(next)".utf8))
    }
    body.append(contentsOf: Data("}".utf8))
    return .json(body)
  }

  @inline(never)
  private static func encodeDecodeEncode(_ comment: Comment) throws -> Data {
    let once = try Blog.makeEncoder().encode(comment)
    let again = try JSONDecoder().decode(Comment.self, from: once)
    return try Blog.makeEncoder().encode(again)
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    try blog.json(try Comments(database: blog.database).list(try PageRequest(request)))
  }
}
