/// `export?limit=`: posts as comma-separated values, the newest last.
///
/// The fault: each line makes a new text out of all lines before it, so the bytes that are copied
/// grow with the square of the lines.
enum QuadraticText {
  private struct Entry {
    let id: Int
    let author: Int
    let created: Int
    let title: String
  }

  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    .csv(copyWholeTextForEachLine(try posts(blog.database, request)))
  }

  @inline(never)
  private static func copyWholeTextForEachLine(_ posts: [Entry]) -> String {
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

  private static func posts(_ database: Database, _ request: Request) throws -> [Entry] {
    let limit = try request.integer("limit", in: 1...10_000, default: 4_000)
    let sql = "SELECT id, author_id, created, title FROM posts ORDER BY id LIMIT ?"
    return try database.rows(sql, limit) {
      Entry(id: $0.integer(0), author: $0.integer(1), created: $0.integer(2), title: $0.text(3))
    }
  }

  private static func line(_ post: Entry) -> String {
    "\(post.id),\(post.author),\(post.created),\(quoted(post.title))\n"
  }

  /// No seeded title needs quotes, but one that a client made may.
  private static func quoted(_ field: String) -> String {
    let needsQuotes = field.utf8.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
    guard needsQuotes else { return field }
    let parts = field.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.joined(separator: "\"\"") + "\""
  }
}
