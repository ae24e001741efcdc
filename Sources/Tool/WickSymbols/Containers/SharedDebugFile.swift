/// The file in which `dwz` puts what the debug information of several files has in common.
enum SharedDebugFile {
  /// How a debug file names it.
  struct Link: Equatable {
    var name: String
    /// Build-id of the shared file.
    var buildID: [UInt8]
  }

  /// The link in a file (`.gnu_debugaltlink`, or `.debug_sup` of DWARF 5); nil where there is none.
  static func link(in file: DebugFile) -> Link? {
    let alternate = file.section(".gnu_debugaltlink")
    var cursor = DwarfCursor(alternate)
    if alternate.byteCount > 0 {
      let count = cursor.text()
      guard !cursor.isDamaged else { return nil }
      return Link(
        name: String(decoding: alternate.array[..<count], as: UTF8.self),
        buildID: Array(alternate.array[(count + 1)...]))
    }
    let supplement = file.section(".debug_sup")
    cursor = DwarfCursor(supplement)
    // Version, and whether the file is the shared one itself.
    guard cursor.half() == 5, cursor.byte() == 0 else { return nil }
    let start = cursor.offset
    let count = cursor.text()
    let idCount = cursor.unsigned()
    guard !cursor.isDamaged, idCount <= UInt64(cursor.remaining) else { return nil }
    let bytes = supplement.array
    return Link(
      name: String(decoding: bytes[start..<start + count], as: UTF8.self),
      buildID: Array(bytes[cursor.offset..<cursor.offset + Int(idCount)]))
  }

  /// Finds the file.
  ///
  /// - Parameters:
  ///   - link: What the debug file says.
  ///   - file: The debug file.
  ///   - root: Put before absolute paths.
  ///   - debugFolders: Where debug files are searched.
  /// - Returns: The file; nil if it is not there, or another one.
  static func find(
    _ link: Link, of file: DebugFile, root: String, debugFolders: [String]
  ) -> DebugFile? {
    let folder = file.path.lastIndex(of: "/").map { String(file.path[...$0]) } ?? ""
    var candidates = [link.name.hasPrefix("/") ? root + link.name : folder + link.name]
    if link.buildID.count > 1 {
      let hex = Hex.string(link.buildID)
      candidates += debugFolders.map {
        "\(root)\($0)/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug"
      }
    }
    let name = link.name.split(separator: "/").last ?? ""
    candidates += debugFolders.map { "\(root)\($0)/.dwz/\(name)" }
    for candidate in candidates {
      guard let found = DebugFile.open(candidate) else { continue }
      let id = found.elf.buildID(found.bytes)
      if id == link.buildID || sharedID(of: found) == link.buildID { return found }
    }
    return nil
  }

  /// The identifier in a shared file's own `.debug_sup`.
  private static func sharedID(of file: DebugFile) -> [UInt8]? {
    let section = file.section(".debug_sup")
    var cursor = DwarfCursor(section)
    guard cursor.half() == 5, cursor.byte() == 1 else { return nil }
    _ = cursor.text()
    let count = cursor.unsigned()
    guard !cursor.isDamaged, count <= UInt64(cursor.remaining) else { return nil }
    return Array(section.array[cursor.offset..<cursor.offset + Int(count)])
  }
}
