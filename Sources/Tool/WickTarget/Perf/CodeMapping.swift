/// A part of a process's memory that may hold code.
struct CodeMapping: Hashable {
  /// Runtime addresses.
  var range: Range<UInt64>
  /// Where in the file it begins.
  var offset: UInt64
  /// The file's number on its device; 0 where there is no file.
  var inode: UInt64
  /// The file, or what the kernel calls memory without one.
  var path: String
  /// Whether the file is no longer at its path.
  var isDeleted: Bool

  init(range: Range<UInt64>, offset: UInt64, inode: UInt64, path: String) {
    self.range = range
    self.offset = offset
    self.inode = inode
    isDeleted = path.hasSuffix(Self.deleted)
    self.path = isDeleted ? String(path.dropLast(Self.deleted.count)) : path
  }

  /// What the kernel appends to the path of a file that was deleted or replaced.
  private static let deleted = " (deleted)"

  /// A mapping of `/proc/PID/maps`.
  init(_ mapping: MemoryMap.Mapping) {
    range = mapping.range
    offset = mapping.offset
    inode = mapping.file.split(separator: " ").last.flatMap { UInt64($0) } ?? 0
    path = String(mapping.path)
    isDeleted = mapping.isDeleted
  }

  /// The executable mappings of a process; nil if they may not be seen.
  static func all(of pid: Int32) -> [CodeMapping]? {
    let mappings = MemoryMap(pid: pid).mappings
    return mappings.isEmpty ? nil : mappings.filter(\.isExecutable).map { CodeMapping($0) }
  }
}
