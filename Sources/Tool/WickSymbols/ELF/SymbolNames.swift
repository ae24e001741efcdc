/// The string tables of a module, one after the other.
struct SymbolNames {
  private var bytes: [UInt8] = []

  /// Comparisons look no further: a file may give thousands of symbols one endless name.
  private static let comparedByteCount = 512
  /// No name is read further than this.
  private static let lengthLimit = 1 << 16

  /// Adds a table and returns where it begins.
  mutating func append(table: [UInt8]) -> Int {
    let start = bytes.count
    bytes += table
    bytes.append(0)
    return start
  }

  /// Adds one name and returns its place.
  mutating func append(name: String) -> Int { append(table: Array(name.utf8)) }

  /// Adds all tables of another module's file and returns where they begin.
  mutating func append(_ other: SymbolNames) -> Int { append(table: other.bytes) }

  /// The name at a place, repaired where it is not UTF-8; empty for a place outside.
  subscript(place: Int) -> String {
    String(decoding: slice(place, limit: Self.lengthLimit), as: UTF8.self)
  }

  /// The bytes of the name at a place.
  func bytes(at place: Int) -> ArraySlice<UInt8> { slice(place, limit: Self.lengthLimit) }

  private func slice(_ place: Int, limit: Int) -> ArraySlice<UInt8> {
    guard bytes.indices.contains(place) else { return [] }
    let reach = bytes[place..<min(place + limit, bytes.count)]
    return reach.prefix { $0 != 0 }
  }

  /// Whether a name says nothing about code: none at all, the mapping symbols of AArch64, local
  /// labels, ends of sections.
  func isNoise(_ place: Int) -> Bool {
    let name = slice(place, limit: 16)
    guard let first = name.first else { return true }
    switch first {
    case UInt8(ascii: "$"):
      let rest = name.dropFirst()
      return (rest.first == UInt8(ascii: "x") || rest.first == UInt8(ascii: "d"))
        && (rest.count == 1 || rest.dropFirst().first == UInt8(ascii: "."))
    case UInt8(ascii: "."): return name.dropFirst().first == UInt8(ascii: "L")
    default:
      return ["etext", "_etext", "__etext"].contains { $0.utf8.elementsEqual(name) }
    }
  }

  /// Whether the first of two aliases is the better name: public before internal, few leading
  /// underscores, then strong, then short, then in byte order.
  ///
  /// Names for users are weak in glibc, as `calloc` beside `__libc_calloc`.
  func isBetter(_ first: ElfSymbol, than second: ElfSymbol) -> Bool {
    if (first.binding == .local) != (second.binding == .local) { return second.binding == .local }
    if first.isFunction != second.isFunction { return first.isFunction }
    guard first.name != second.name else { return false }
    let names = (
      slice(first.name, limit: Self.comparedByteCount),
      slice(second.name, limit: Self.comparedByteCount)
    )
    let internals = (isInternalAlias(names.0), isInternalAlias(names.1))
    if internals.0 != internals.1 { return internals.1 }
    let underscores = (underscoreCount(names.0), underscoreCount(names.1))
    if underscores.0 != underscores.1 { return underscores.0 < underscores.1 }
    if first.binding != second.binding {
      return first.binding.rawValue < second.binding.rawValue
    }
    if names.0.count != names.1.count { return names.0.count < names.1.count }
    return names.0.lexicographicallyPrecedes(names.1)
  }

  private func underscoreCount(_ name: ArraySlice<UInt8>) -> Int {
    name.prefix { $0 == UInt8(ascii: "_") }.count
  }

  /// glibc's names for calls that stay inside it.
  private func isInternalAlias(_ name: ArraySlice<UInt8>) -> Bool {
    name.starts(with: "__GI_".utf8)
  }
}
