/// One kind of thing that clients can list, make, read, replace and delete.
protocol Resource {
  associatedtype Item: Encodable & Identifiable where Item.ID == Int
  associatedtype Draft: CheckedDraft

  func list(_ page: PageRequest) throws -> Page<Item>
  func find(_ id: Int) throws -> Item?
  func create(_ draft: Draft) throws -> Item
  /// Gives the new item, or nothing if there is none with this ID.
  func replace(_ id: Int, with draft: Draft) throws -> Item?
  /// Tells whether there was such an item.
  func delete(_ id: Int) throws -> Bool

  /// The lists below an item, such as the comments of a post.
  func children(_ name: Substring) -> ((Int, PageRequest) throws -> any Encodable)?
}

/// What a client sends to make or replace an item.
protocol CheckedDraft: Decodable {
  /// Throws ``Failure/badRequest(_:)`` if a field cannot be.
  func check() throws(Failure)
}

extension CheckedDraft {
  func require(_ text: String, _ name: String, atMost length: Int) throws(Failure) {
    guard !text.isEmpty, text.utf8.count <= length, !text.utf8.contains(0) else {
      throw .badRequest("'\(name)' must have 1 to \(length) bytes and no zero byte")
    }
  }
}
