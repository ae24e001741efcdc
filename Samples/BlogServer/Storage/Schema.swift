/// The tables, and the version that says that they are filled.
enum Schema {
  /// Written as `user_version` in the transaction that fills the tables.
  private static let version = 1

  private static let tables = [
    """
    CREATE TABLE users (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
      created INTEGER NOT NULL)
    """,
    """
    CREATE TABLE posts (
      id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
      title TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL)
    """,
    """
    CREATE TABLE comments (
      id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
      author_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, body TEXT NOT NULL,
      created INTEGER NOT NULL)
    """,
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """
    CREATE TABLE post_tags (
      post_id INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
      tag_id INTEGER NOT NULL REFERENCES tags ON DELETE CASCADE,
      PRIMARY KEY (post_id, tag_id)) WITHOUT ROWID
    """,
  ]

  /// Made after the rows, which is faster than keeping them up to date.
  private static let indexes = [
    "CREATE INDEX posts_by_author ON posts (author_id)",
    "CREATE INDEX comments_by_post ON comments (post_id)",
    "CREATE INDEX comments_by_author ON comments (author_id)",
    "CREATE INDEX posts_by_tag ON post_tags (tag_id, post_id)",
  ]

  /// Makes and fills the tables if the database is empty.
  ///
  /// - Parameter database: Any connection.
  /// - Throws: ``SchemaError`` if the database holds something else.
  static func prepare(_ database: Database) throws {
    // In one transaction, so that of two servers only one fills a new file.
    try database.transaction {
      let found = try database.first("PRAGMA user_version") { $0.integer(0) }
      if found == version {
        return
      }
      let objects = try database.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) }
      guard found == 0, objects == 0 else { throw SchemaError.foreignDatabase }
      for table in tables {
        try database.run(table)
      }
      var seed = Seed()
      try seed.fill(database)
      for index in indexes {
        try database.run(index)
      }
      try database.run("PRAGMA user_version = \(version)")
    }
    try database.run("PRAGMA optimize")
  }
}

/// A database that is not the blog's.
enum SchemaError: Error, CustomStringConvertible {
  case foreignDatabase

  var description: String { "the database holds other tables than the blog's" }
}
