/// The mappings of a process, as `/proc/PID/maps` lists them; see proc(5).
struct MemoryMap {
  struct Mapping {
    var range: Range<UInt64>
    var isWritable: Bool
    var isExecutable: Bool
    /// Offset in the file of its first byte.
    var offset: UInt64
    /// Device and inode; the same for all mappings of a file.
    var file: Substring
    /// Path of the file without the kernel's mark for deleted ones, a name in brackets, or empty.
    var path: Substring
    /// Whether the file is no longer at its path.
    var isDeleted: Bool
    /// The link below `/proc/PID/map_files` that leads to the file.
    var link: Substring

    /// Whether its content is the same later: code and constants.
    var isConstant: Bool { isExecutable || !isWritable }
    /// Whether it may begin with an ELF header.
    var isStartOfFile: Bool { offset == 0 && (path.hasPrefix("/") || path == "[vdso]") }
  }

  /// Ascending.
  let mappings: [Mapping]

  init(pid: Int32) {
    let text = ProcFile.text("/proc/\(pid)/maps") ?? ""
    mappings = text.split(separator: "\n").compactMap(Self.mapping)
  }

  /// The mapping that an address is in.
  func mapping(at address: UInt64) -> Mapping? {
    guard let index = index(upTo: address), address < mappings[index].range.upperBound else {
      return nil
    }
    return mappings[index]
  }

  /// The last mapping that begins at an address or before it.
  func index(upTo address: UInt64) -> Int? {
    var (low, high) = (0, mappings.count)
    while low < high {
      let middle = (low + high) / 2
      if mappings[middle].range.lowerBound <= address { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }

  private static func mapping(_ line: Substring) -> Mapping? {
    // Range, rights, offset, device, inode, path.
    let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    guard words.count >= 5, let dash = words[0].firstIndex(of: "-"),
      let start = UInt64(words[0][..<dash], radix: 16),
      let end = UInt64(words[0][words[0].index(after: dash)...], radix: 16), start < end,
      let offset = UInt64(words[2], radix: 16)
    else { return nil }
    var path = words.count == 6 ? words[5].drop { $0 == " " } : ""
    let mark = " (deleted)"
    let isDeleted = path.hasSuffix(mark)
    if isDeleted { path = path.dropLast(mark.count) }
    return Mapping(
      range: start..<end, isWritable: words[1].contains("w"), isExecutable: words[1].contains("x"),
      offset: offset, file: line[words[3].startIndex..<words[4].endIndex], path: path,
      isDeleted: isDeleted, link: words[0])
  }
}
