/// What a user wrote, with the names of its tags.
struct Post: Codable, Identifiable {
  static let columns = "id, author_id, title, body, created"

  let id: Int
  let author: Int
  let title: String
  let body: String
  /// Seconds since 1970.
  let created: Int
  /// In alphabetical order; absent in lists.
  var tags: [String]?

  init(_ row: Row) {
    (id, author) = (row.integer(0), row.integer(1))
    (title, body, created) = (row.text(2), row.text(3), row.integer(4))
  }
}

struct PostDraft: CheckedDraft {
  let author: Int
  let title: String
  let body: String
  let tags: [String]?

  func check() throws(Failure) {
    try require(title, "title", atMost: 200)
    try require(body, "body", atMost: 100_000)
    for tag in tags ?? [] {
      try require(tag, "tags", atMost: 50)
    }
  }
}

struct Posts: Resource {
  let database: Database

  func list(_ page: PageRequest) throws -> Page<Post> {
    let sql = "SELECT \(Post.columns) FROM posts WHERE id > ? ORDER BY id LIMIT ?"
    return Page(try database.rows(sql, page.after, page.limit, make: Post.init), page)
  }

  func list(ofAuthor author: Int, _ page: PageRequest) throws -> Page<Post> {
    let sql = """
      SELECT \(Post.columns) FROM posts WHERE author_id = ? AND id > ? ORDER BY id LIMIT ?
      """
    return Page(try database.rows(sql, author, page.after, page.limit, make: Post.init), page)
  }

  func list(withTag tag: Int, _ page: PageRequest) throws -> Page<Post> {
    let sql = """
      SELECT \(Post.columns) FROM posts JOIN post_tags ON post_id = id
      WHERE tag_id = ? AND post_id > ? ORDER BY post_id LIMIT ?
      """
    return Page(try database.rows(sql, tag, page.after, page.limit, make: Post.init), page)
  }

  func find(_ id: Int) throws -> Post? {
    let sql = "SELECT \(Post.columns) FROM posts WHERE id = ?"
    guard var post = try database.first(sql, id, make: Post.init) else { return nil }
    post.tags = try tags(of: id)
    return post
  }

  func create(_ draft: PostDraft) throws -> Post {
    try database.transaction {
      let sql = """
        INSERT INTO posts (author_id, title, body, created) VALUES (?, ?, ?, ?)
        RETURNING \(Post.columns)
        """
      let posts = try database.rows(
        sql, draft.author, draft.title, draft.body, now(), make: Post.init)
      var post = posts[0]
      try setTags(draft.tags ?? [], of: post.id)
      post.tags = try tags(of: post.id)
      return post
    }
  }

  func replace(_ id: Int, with draft: PostDraft) throws -> Post? {
    try database.transaction {
      let sql = """
        UPDATE posts SET author_id = ?, title = ?, body = ? WHERE id = ? RETURNING \(Post.columns)
        """
      let posts = try database.rows(
        sql, draft.author, draft.title, draft.body, id, make: Post.init)
      guard var post = posts.first else { return nil }
      try database.run("DELETE FROM post_tags WHERE post_id = ?", id)
      try setTags(draft.tags ?? [], of: id)
      post.tags = try tags(of: id)
      return post
    }
  }

  func delete(_ id: Int) throws -> Bool {
    try database.run("DELETE FROM posts WHERE id = ?", id) > 0
  }

  func children(_ name: Substring) -> ((Int, PageRequest) throws -> any Encodable)? {
    switch name {
    case "comments": { try Comments(database: database).list(ofPost: $0, $1) }
    case "tags": { try Tags(database: database).list(ofPost: $0, $1) }
    default: nil
    }
  }

  private func tags(of post: Int) throws -> [String] {
    let sql = "SELECT name FROM tags JOIN post_tags ON tag_id = id WHERE post_id = ? ORDER BY name"
    return try database.rows(sql, post) { $0.text(0) }
  }

  /// Gives a post without tags these, and makes the ones that are new.
  private func setTags(_ names: [String], of post: Int) throws {
    for name in names {
      try database.run("INSERT OR IGNORE INTO tags (name) VALUES (?)", name)
      try database.run(
        "INSERT OR IGNORE INTO post_tags SELECT ?, id FROM tags WHERE name = ?", post, name)
    }
  }
}
