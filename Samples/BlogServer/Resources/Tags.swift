/// A word that groups posts; a post has many, and many posts have it.
struct Tag: Codable, Identifiable {
  let id: Int
  let name: String

  init(_ row: Row) {
    (id, name) = (row.integer(0), row.text(1))
  }
}

struct TagDraft: CheckedDraft {
  let name: String

  func check() throws(Failure) {
    try require(name, "name", atMost: 50)
  }
}

struct Tags: Resource {
  let database: Database

  func list(_ page: PageRequest) throws -> Page<Tag> {
    let sql = "SELECT id, name FROM tags WHERE id > ? ORDER BY id LIMIT ?"
    return Page(try database.rows(sql, page.after, page.limit, make: Tag.init), page)
  }

  func list(ofPost post: Int, _ page: PageRequest) throws -> Page<Tag> {
    let sql = """
      SELECT id, name FROM tags JOIN post_tags ON tag_id = id
      WHERE post_id = ? AND tag_id > ? ORDER BY tag_id LIMIT ?
      """
    return Page(try database.rows(sql, post, page.after, page.limit, make: Tag.init), page)
  }

  func find(_ id: Int) throws -> Tag? {
    try database.first("SELECT id, name FROM tags WHERE id = ?", id, make: Tag.init)
  }

  func create(_ draft: TagDraft) throws -> Tag {
    let sql = "INSERT INTO tags (name) VALUES (?) RETURNING id, name"
    let tags = try database.rows(sql, draft.name, make: Tag.init)
    return tags[0]
  }

  func replace(_ id: Int, with draft: TagDraft) throws -> Tag? {
    let sql = "UPDATE tags SET name = ? WHERE id = ? RETURNING id, name"
    return try database.rows(sql, draft.name, id, make: Tag.init).first
  }

  func delete(_ id: Int) throws -> Bool {
    try database.run("DELETE FROM tags WHERE id = ?", id) > 0
  }

  func children(_ name: Substring) -> ((Int, PageRequest) throws -> any Encodable)? {
    switch name {
    case "posts": { try Posts(database: database).list(withTag: $0, $1) }
    default: nil
    }
  }
}
