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

  /// The executable mappings of a process; nil if they may not be seen.
  static func all(of pid: Int32) -> [CodeMapping]? {
    guard let text = ProcFile.text("/proc/\(pid)/maps"), !text.isEmpty else { return nil }
    return text.split(separator: "\n").compactMap { CodeMapping($0) }
  }

  /// Reads a line of `/proc/PID/maps`: range, rights, offset, device, inode, path; see proc(5).
  ///
  /// - Parameter line: nil results if it is not of code.
  init?(_ line: Substring) {
    let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    guard words.count >= 5, words[1].contains("x") else { return nil }
    let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
    guard ends.count == 2, ends[0] < ends[1], let offset = UInt64(words[2], radix: 16),
      let inode = UInt64(words[4])
    else { return nil }
    let path = words.count > 5 ? String(words[5].drop { $0 == " " }) : ""
    self.init(range: ends[0]..<ends[1], offset: offset, inode: inode, path: path)
  }
}
