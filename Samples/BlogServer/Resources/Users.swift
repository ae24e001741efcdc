import Foundation

/// Somebody who writes posts and comments.
struct User: Codable, Identifiable {
  static let columns = "id, name, email, created"

  let id: Int
  let name: String
  let email: String
  /// Seconds since 1970.
  let created: Int

  init(_ row: Row) {
    (id, name, email, created) = (row.integer(0), row.text(1), row.text(2), row.integer(3))
  }
}

struct UserDraft: CheckedDraft {
  let name: String
  let email: String

  func check() throws(Failure) {
    try require(name, "name", atMost: 100)
    try require(email, "email", atMost: 200)
    guard email.contains("@") else { throw .badRequest("'email' must contain @") }
  }
}

struct Users: Resource {
  let database: Database

  func list(_ page: PageRequest) throws -> Page<User> {
    let sql = "SELECT \(User.columns) FROM users WHERE id > ? ORDER BY id LIMIT ?"
    return Page(try database.rows(sql, page.after, page.limit, make: User.init), page)
  }

  func find(_ id: Int) throws -> User? {
    try database.first("SELECT \(User.columns) FROM users WHERE id = ?", id, make: User.init)
  }

  func create(_ draft: UserDraft) throws -> User {
    let sql = "INSERT INTO users (name, email, created) VALUES (?, ?, ?) RETURNING \(User.columns)"
    let users = try database.rows(sql, draft.name, draft.email, now(), make: User.init)
    return users[0]
  }

  func replace(_ id: Int, with draft: UserDraft) throws -> User? {
    let sql = "UPDATE users SET name = ?, email = ? WHERE id = ? RETURNING \(User.columns)"
    return try database.rows(sql, draft.name, draft.email, id, make: User.init).first
  }

  func delete(_ id: Int) throws -> Bool {
    try database.run("DELETE FROM users WHERE id = ?", id) > 0
  }

  func children(_ name: Substring) -> ((Int, PageRequest) throws -> any Encodable)? {
    switch name {
    case "posts": { try Posts(database: database).list(ofAuthor: $0, $1) }
    case "comments": { try Comments(database: database).list(ofAuthor: $0, $1) }
    default: nil
    }
  }
}

/// Seconds since 1970.
func now() -> Int {
  Int(Date().timeIntervalSince1970)
}
