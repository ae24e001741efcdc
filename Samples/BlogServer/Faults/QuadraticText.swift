/// `export?limit=`: posts as comma-separated values, the newest last.
///
/// The fault: each line makes a new text out of all lines before it, so the bytes that are copied
/// grow with the square of the lines.
enum QuadraticText {
  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    .csv(copyWholeTextForEachLine(try posts(blog.database, request)))
  }

  @inline(never)
  private static func copyWholeTextForEachLine(_ posts: [Post]) -> String {
    var text = ""
    for post in posts.reversed() {
      text = line(post) + text
    }
    return text
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    var text = ""
    for post in try posts(blog.database, request) {
      text += line(post)
    }
    return .csv(text)
  }

  private static func posts(_ database: Database, _ request: Request) throws -> [Post] {
    let limit = try request.integer("limit", in: 1...10_000, default: 4_000)
    let sql = "SELECT \(Post.columns) FROM posts ORDER BY id LIMIT ?"
    return try database.rows(sql, limit, make: Post.init)
  }

  private static func line(_ post: Post) -> String {
    "\(post.id),\(post.author),\(post.created),\(quoted(post.title))\n"
  }

  /// No seeded title needs quotes, but one that a client made may.
  private static func quoted(_ field: String) -> String {
    guard field.utf8.contains(where: { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }) else {
      return field
    }
    let parts = field.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.joined(separator: "\"\"") + "\""
  }
}
