/// `commented?user=&after=&limit=`: the posts that a user commented on.
///
/// The fault: the comments are searched without their index, as if it had been forgotten.
enum MissingIndex {
  private struct Entry: Encodable, Identifiable {
    let id: Int
    let title: String
  }

  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    try answer(blog, request, find: scanAllCommentsWithoutIndex)
  }

  @inline(never)
  private static func scanAllCommentsWithoutIndex(
    _ user: Int, _ page: PageRequest, _ database: Database
  ) throws -> [Entry] {
    let sql = """
      SELECT id, title FROM posts
      WHERE id IN (SELECT post_id FROM comments NOT INDEXED WHERE author_id = ?) AND id > ?
      ORDER BY id LIMIT ?
      """
    return try entries(sql, user, page, database)
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    try answer(blog, request) { user, page, database in
      let sql = """
        SELECT id, title FROM posts
        WHERE id IN (SELECT post_id FROM comments WHERE author_id = ?) AND id > ?
        ORDER BY id LIMIT ?
        """
      return try entries(sql, user, page, database)
    }
  }

  private static func entries(
    _ sql: String, _ user: Int, _ page: PageRequest, _ database: Database
  ) throws -> [Entry] {
    try database.rows(sql, user, page.after, page.limit) {
      Entry(id: $0.integer(0), title: $0.text(1))
    }
  }

  private static func answer(
    _ blog: Blog, _ request: Request, find: (Int, PageRequest, Database) throws -> [Entry]
  ) throws -> Response {
    let user = try request.integer("user", in: 1...Int(Int32.max))
    let page = try PageRequest(request)
    return try blog.json(Page(try find(user, page, blog.database), page))
  }
}
