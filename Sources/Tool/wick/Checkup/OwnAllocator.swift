import WickRecording

/// An allocator that is a part of a program: its calls go nowhere where the agent stands.
struct OwnAllocator {
  /// The function that gives memory out.
  var function: String

  /// malloc itself, then those of jemalloc (with the prefixes of its default and of Rust's crates),
  /// mimalloc, tcmalloc, rpmalloc, and Go's, which never calls malloc.
  private static let functions = [
    "malloc", "je_malloc", "_rjem_malloc", "rjem_malloc", "mi_malloc", "tc_malloc", "rpmalloc",
    "runtime.mallocgc",
  ]

  /// Looks for one among a program's symbols; nil if there is none, or its name was stripped.
  ///
  /// - Parameter path: The program; nothing is found in what is no 64-bit little-endian ELF file.
  init?(of path: String) {
    guard let file = try? MappedFile(path: path),
      let found = try? Self.definedFunctions(file.bytes),
      let first = Self.functions.first(where: { found.contains($0) })
    else { return nil }
    function = first
  }

  /// What is amiss, behind the program's name.
  var explanation: String {
    "has an allocator of its own (it defines \(function)): what its code allocates there is not seen"
  }

  // System V gABI, chapter 4: SHT_SYMTAB, SHT_DYNSYM, STT_FUNC and GNU's STT_GNU_IFUNC.
  private static let symbolTables: [UInt32] = [2, 11]
  private static let functionTypes: [UInt8] = [2, 10]
  private static let symbolByteCount = 24

  private struct Section {
    var type: UInt32
    var contents: Range<Int>
    var link: Int
  }

  /// Which of `functions` the file defines.
  private static func definedFunctions(
    _ bytes: RawSpan
  ) throws(ByteReader.OutOfBounds) -> Set<String> {
    let sections = try sections(bytes)
    let names = functions.map { Array($0.utf8) + [0] }
    var found: Set<String> = []
    for type in symbolTables {
      // A file has one of each.
      guard let table = sections.first(where: { $0.type == type }),
        sections.indices.contains(table.link)
      else { continue }
      let strings = bytes.extracting(sections[table.link].contents)
      var reader = ByteReader(bytes.extracting(table.contents))
      while reader.remaining >= symbolByteCount {
        let name = try reader.integer(UInt32.self)
        let info = try reader.integer(UInt8.self)
        try reader.skip(1)
        let section = try reader.integer(UInt16.self)
        try reader.skip(16)
        guard section != 0, functionTypes.contains(info & 0xf) else { continue }
        for (index, expected) in names.enumerated() where begins(strings, at: name, expected) {
          found.insert(functions[index])
        }
      }
    }
    return found
  }

  private static func begins(_ strings: RawSpan, at offset: UInt32, _ expected: [UInt8]) -> Bool {
    var reader = ByteReader(strings)
    guard (try? reader.skip(Int(offset))) != nil else { return false }
    return expected.allSatisfy { (try? reader.integer(UInt8.self)) == $0 }
  }

  private static func sections(_ bytes: RawSpan) throws(ByteReader.OutOfBounds) -> [Section] {
    var header = ByteReader(bytes)
    // e_ident: the magic number, ELFCLASS64, ELFDATA2LSB.
    guard try header.integer(UInt32.self) == 0x464c_457f, try header.integer(UInt16.self) == 0x0102
    else { return [] }
    try header.skip(34)
    let start = try header.integer(UInt64.self)
    try header.skip(10)
    let entryByteCount = UInt64(try header.integer(UInt16.self))
    let count = UInt64(try header.integer(UInt16.self))
    var sections: [Section] = []
    for index in 0..<count {
      var entry = ByteReader(bytes)
      try entry.skip(Int(clamping: start &+ index &* entryByteCount))
      try entry.skip(4)
      let type = try entry.integer(UInt32.self)
      try entry.skip(16)
      let offset = min(Int(clamping: try entry.integer(UInt64.self)), bytes.byteCount)
      let byteCount = Int(clamping: try entry.integer(UInt64.self))
      sections.append(
        Section(
          type: type, contents: offset..<offset + min(byteCount, bytes.byteCount - offset),
          link: Int(try entry.integer(UInt32.self))))
    }
    return sections
  }
}
