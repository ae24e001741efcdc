/// `posts?after=&limit=`: a page of posts.
///
/// The fault: the database gives all posts, and the page is cut out of them.
enum NoPagination {
  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    let page = try PageRequest(request)
    let posts = try loadEveryPost(blog.database).filter { $0.id > page.after }
    return try blog.json(Page(Array(posts.prefix(page.limit)), page))
  }

  @inline(never)
  private static func loadEveryPost(_ database: Database) throws -> [Post] {
    try database.rows("SELECT \(Post.columns) FROM posts ORDER BY id", make: Post.init)
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    try blog.json(try Posts(database: blog.database).list(try PageRequest(request)))
  }
}
