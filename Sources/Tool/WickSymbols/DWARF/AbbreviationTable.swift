/// One table of `.debug_abbrev`: what the entries of a unit look like.
struct AbbreviationTable {
  /// The shape of an entry.
  struct Entry {
    var tag: UInt16
    var hasChildren: Bool
    /// Size of all values together; −1 where it varies.
    var byteCount: Int32
    /// Place of its attributes.
    var attributes: Range<Int>
    /// Place of the attribute that says where the next entry of the same level is; −1 for none.
    var sibling: Int
  }

  /// An attribute of an entry.
  struct Attribute {
    var name: UInt16
    var form: UInt16
    /// For `DW_FORM_implicit_const`.
    var constant: Int64
  }

  /// Most tables have no more entries.
  private static let usualCount = 128

  private(set) var attributes: [Attribute] = []
  private var entries: [Entry] = []
  /// Places in `entries` of codes that do not count from 1, as all compilers' do.
  private var sparse: [UInt64: Int] = [:]

  /// Reads a table.
  ///
  /// - Parameters:
  ///   - cursor: Where it begins; afterwards behind it.
  ///   - format: Of the units that use it.
  init(_ cursor: inout DwarfCursor, format: DwarfFormat) {
    entries.reserveCapacity(Self.usualCount)
    attributes.reserveCapacity(8 * Self.usualCount)
    while !cursor.isAtEnd {
      let code = cursor.unsigned()
      guard code != 0 else { return }
      // Tags and attributes beyond 16 bits are nobody's.
      let tag = UInt16(truncatingIfNeeded: cursor.unsigned())
      let hasChildren = cursor.byte() != 0
      let first = attributes.count
      var byteCount: Int? = 0
      var sibling = -1
      while !cursor.isAtEnd {
        let name = cursor.unsigned()
        let form = UInt16(clamping: cursor.unsigned())
        let constant = form == DwarfForm.implicitConstant ? cursor.signed() : 0
        if name == 0, form == 0 { break }
        if name == UInt64(DwarfAttribute.sibling) { sibling = attributes.count }
        attributes.append(
          Attribute(name: UInt16(truncatingIfNeeded: name), form: form, constant: constant))
        byteCount =
          if let sum = byteCount, let next = format.byteCount(of: form) { sum &+ next } else {
            nil
          }
      }
      if code != UInt64(entries.count) &+ 1, sparse[code] == nil { sparse[code] = entries.count }
      entries.append(
        Entry(
          tag: tag, hasChildren: hasChildren,
          byteCount: byteCount.flatMap { Int32(exactly: $0) } ?? -1,
          attributes: first..<attributes.count, sibling: sibling))
    }
  }

  /// The shape for a code; nil where the table has none.
  @inline(__always) func entry(_ code: UInt64) -> Entry? {
    if sparse.isEmpty {
      guard code &- 1 < UInt64(entries.count) else { return nil }
      return entries[Int(code &- 1)]
    }
    return sparseEntry(code)
  }

  private func sparseEntry(_ code: UInt64) -> Entry? {
    if let place = sparse[code] { return entries[place] }
    guard code &- 1 < UInt64(entries.count) else { return nil }
    return entries[Int(code &- 1)]
  }
}
