internal import WickRecording

/// The files that a process has mapped, as long as it runs.
///
/// After an upgrade another file lies at the path, but the kernel still gives the one that runs. A
/// number may belong to another process by now, so whoever uses these compares build-ids.
struct LiveProcess: Hashable {
  /// Process id.
  var pid: UInt32

  /// Where a file may be that the process knows by a path.
  func candidates(for path: String) -> [String] {
    ["/proc/\(pid)/root\(path)"] + mappings(of: path) + ["/proc/\(pid)/exe"]
  }

  /// Kernel links to the file behind mappings of a path, one for each file.
  private func mappings(of path: String) -> [String] {
    guard let text = TextFile.read("/proc/\(pid)/maps", byteLimit: 16 << 20) else { return [] }
    var found: [String] = []
    var inodes: Set<Substring> = []
    for line in text.split(separator: "\n") {
      // Range, rights, offset, device, inode, path.
      let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard words.count == 6 else { continue }
      let name = words[5].drop { $0 == " " }
      guard name == path || name == "\(path) (deleted)", inodes.insert(words[4]).inserted else {
        continue
      }
      found.append("/proc/\(pid)/map_files/\(words[0])")
    }
    return found
  }
}
