/// `comment-count?user=`: how many comments a user wrote.
///
/// The fault: all comments are loaded and filtered in memory, which the database could count.
enum CountInMemory {
  private struct Answer: Encodable {
    let user: Int
    let comments: Int
  }

  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    try answer(blog, request) { user in
      try loadEveryComment(blog.database).filter { $0.author == user }.count
    }
  }

  @inline(never)
  private static func loadEveryComment(_ database: Database) throws -> [Comment] {
    try database.rows("SELECT \(Comment.columns) FROM comments", make: Comment.init)
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    try answer(blog, request) { user in
      let sql = "SELECT count(*) FROM comments WHERE author_id = ?"
      return try blog.database.first(sql, user) { $0.integer(0) } ?? 0
    }
  }

  private static func answer(
    _ blog: Blog, _ request: Request, count: (Int) throws -> Int
  ) throws -> Response {
    let user = try request.integer("user", in: 1...Int(Int32.max))
    guard try Users(database: blog.database).find(user) != nil else { throw Failure.notFound }
    return try blog.json(Answer(user: user, comments: try count(user)))
  }
}
