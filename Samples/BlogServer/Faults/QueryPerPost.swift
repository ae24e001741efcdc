/// `feed?after=&limit=`: posts with author, tags and number of comments.
///
/// The fault: 1 + 3 N queries, because each post asks for what belongs to it.
enum QueryPerPost {
  private struct Entry: Encodable, Identifiable {
    let id: Int
    let title: String
    let author: String
    let comments: Int
    let tags: [String]
  }

  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    let page = try PageRequest(request)
    let posts = try Posts(database: blog.database).list(page).items
    return try blog.json(Page(try queryThreeTimesForEachPost(posts, blog.database), page))
  }

  @inline(never)
  private static func queryThreeTimesForEachPost(
    _ posts: [Post], _ database: Database
  ) throws -> [Entry] {
    try posts.map { post in
      Entry(
        id: post.id, title: post.title, author: try queryAuthorName(post.author, database),
        comments: try queryCommentCount(post.id, database),
        tags: try queryTagNames(post.id, database))
    }
  }

  @inline(never)
  private static func queryAuthorName(_ author: Int, _ database: Database) throws -> String {
    try Users(database: database).find(author)?.name ?? ""
  }

  @inline(never)
  private static func queryCommentCount(_ post: Int, _ database: Database) throws -> Int {
    let sql = "SELECT \(Comment.columns) FROM comments WHERE post_id = ?"
    return try database.rows(sql, post, make: Comment.init).count
  }

  @inline(never)
  private static func queryTagNames(_ post: Int, _ database: Database) throws -> [String] {
    try Posts(database: database).find(post)?.tags ?? []
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    let page = try PageRequest(request)
    let sql = """
      SELECT posts.id, title, name, (SELECT count(*) FROM comments WHERE post_id = posts.id)
      FROM posts JOIN users ON users.id = author_id
      WHERE posts.id > ? ORDER BY posts.id LIMIT ?
      """
    let posts = try blog.database.rows(sql, page.after, page.limit) {
      (id: $0.integer(0), title: $0.text(1), author: $0.text(2), comments: $0.integer(3))
    }
    let tags = try tagNames(from: page.after + 1, through: posts.last?.id ?? 0, blog.database)
    let entries = posts.map {
      Entry(
        id: $0.id, title: $0.title, author: $0.author, comments: $0.comments,
        tags: tags[$0.id] ?? [])
    }
    return try blog.json(Page(entries, page))
  }

  private static func tagNames(
    from first: Int, through last: Int, _ database: Database
  ) throws -> [Int: [String]] {
    let sql = """
      SELECT post_id, name FROM post_tags JOIN tags ON id = tag_id
      WHERE post_id BETWEEN ? AND ? ORDER BY post_id, name
      """
    let pairs = try database.rows(sql, first, last) { (post: $0.integer(0), name: $0.text(1)) }
    return Dictionary(grouping: pairs, by: \.post).mapValues { $0.map(\.name) }
  }
}
