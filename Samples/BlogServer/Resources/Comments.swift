/// What a user says about a post.
struct Comment: Codable, Identifiable {
  static let columns = "id, post_id, author_id, body, created"

  let id: Int
  let post: Int
  let author: Int
  let body: String
  /// Seconds since 1970.
  let created: Int

  init(_ row: Row) {
    (id, post, author) = (row.integer(0), row.integer(1), row.integer(2))
    (body, created) = (row.text(3), row.integer(4))
  }
}

struct CommentDraft: CheckedDraft {
  let post: Int
  let author: Int
  let body: String

  func check() throws(Failure) {
    try require(body, "body", atMost: 10_000)
  }
}

struct Comments: Resource {
  let database: Database

  func list(_ page: PageRequest) throws -> Page<Comment> {
    let sql = "SELECT \(Comment.columns) FROM comments WHERE id > ? ORDER BY id LIMIT ?"
    return Page(try database.rows(sql, page.after, page.limit, make: Comment.init), page)
  }

  func list(ofPost post: Int, _ page: PageRequest) throws -> Page<Comment> {
    let sql = """
      SELECT \(Comment.columns) FROM comments WHERE post_id = ? AND id > ? ORDER BY id LIMIT ?
      """
    return Page(try database.rows(sql, post, page.after, page.limit, make: Comment.init), page)
  }

  func list(ofAuthor author: Int, _ page: PageRequest) throws -> Page<Comment> {
    let sql = """
      SELECT \(Comment.columns) FROM comments WHERE author_id = ? AND id > ? ORDER BY id LIMIT ?
      """
    return Page(try database.rows(sql, author, page.after, page.limit, make: Comment.init), page)
  }

  func find(_ id: Int) throws -> Comment? {
    let sql = "SELECT \(Comment.columns) FROM comments WHERE id = ?"
    return try database.first(sql, id, make: Comment.init)
  }

  func create(_ draft: CommentDraft) throws -> Comment {
    let sql = """
      INSERT INTO comments (post_id, author_id, body, created) VALUES (?, ?, ?, ?)
      RETURNING \(Comment.columns)
      """
    let comments = try database.rows(
      sql, draft.post, draft.author, draft.body, now(), make: Comment.init)
    return comments[0]
  }

  func replace(_ id: Int, with draft: CommentDraft) throws -> Comment? {
    let sql = """
      UPDATE comments SET post_id = ?, author_id = ?, body = ? WHERE id = ?
      RETURNING \(Comment.columns)
      """
    return try database.rows(
      sql, draft.post, draft.author, draft.body, id, make: Comment.init
    ).first
  }

  func delete(_ id: Int) throws -> Bool {
    try database.run("DELETE FROM comments WHERE id = ?", id) > 0
  }

  func children(_ name: Substring) -> ((Int, PageRequest) throws -> any Encodable)? {
    nil
  }
}
