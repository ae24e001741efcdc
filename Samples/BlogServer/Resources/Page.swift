/// Which part of a list is wanted: `limit` items with greater IDs than `after`.
struct PageRequest {
  let limit: Int
  let after: Int

  init(_ request: Request) throws(Failure) {
    limit = try request.integer("limit", in: 1...100, default: 20)
    after = try request.integer("after", in: 0...Int(Int32.max), default: 0)
  }
}

/// One part of a list.
struct Page<Item: Encodable & Identifiable>: Encodable where Item.ID == Int {
  let items: [Item]
  /// What to ask for as `after` to get the next part; absent at the end.
  let next: Int?

  init(_ items: [Item], _ request: PageRequest) {
    self.items = items
    next = items.count == request.limit ? items.last?.id : nil
  }
}
