internal import Glibc

/// Indices of modules that were read before, one file for each build-id.
///
/// Files never change: each is written beside its place and renamed into it, so that any number of
/// processes may read and write at once. A file that is damaged, of another version or of another
/// owner is not used. When all together are too large, those that were not used for longest go.
public struct SymbolCache: Sendable {
  /// Where the files are.
  public let folder: String
  /// Bytes that all files may have.
  let byteLimit: Int

  /// Uses a folder, which need not exist.
  ///
  /// - Parameters:
  ///   - folder: Of the cache alone.
  ///   - byteLimit: Bytes that all files together may have.
  public init(folder: String, byteLimit: Int = 1 << 30) {
    self.folder = folder
    self.byteLimit = byteLimit
  }

  /// The cache of the user who runs this: `$XDG_CACHE_HOME/wick`, else `~/.cache/wick`.
  ///
  /// - Returns: nil where the environment names neither.
  public static func ofUser() -> SymbolCache? {
    func folder(_ variable: String) -> String? {
      guard let value = unsafe getenv(variable) else { return nil }
      let path = unsafe String(cString: value)
      // The specification of XDG_CACHE_HOME says that relative paths are to be ignored.
      return path.hasPrefix("/") ? path : nil
    }
    if let cache = folder("XDG_CACHE_HOME") { return SymbolCache(folder: "\(cache)/wick") }
    return folder("HOME").map { SymbolCache(folder: "\($0)/.cache/wick") }
  }

  /// How many files there are, and how many bytes they have.
  public var contents: (fileCount: Int, byteCount: Int) {
    let entries = entries()
    return (entries.count, entries.reduce(0) { $0 + $1.byteCount })
  }

  /// Removes all files of the cache, and nothing else.
  ///
  /// - Returns: How many files were removed.
  public func clear() -> Int {
    entries().count { unsafe unlink("\(folder)/\($0.name)") == 0 }
  }

  private static let suffix = ".wicksymbols"

  /// Shorter identifiers are no hashes.
  private static let shortestID = 8

  private func path(_ buildID: [UInt8]) -> String {
    "\(folder)/\(Hex.string(buildID))\(Self.suffix)"
  }

  /// The index of a module; nil where there is none that can be used.
  func index(of buildID: [UInt8]) -> SourceIndex? {
    guard buildID.count >= Self.shortestID else { return nil }
    let descriptor = unsafe open(path(buildID), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid() || status.st_uid == 0, status.st_size < 1 << 33,
      let words = IndexWords(descriptor: descriptor, byteCount: Int(status.st_size)),
      let index = CacheFile.index(in: words, of: buildID)
    else { return nil }
    // Says that the file is in use; without that right, it ages.
    futimens(descriptor, nil)
    return index
  }

  /// Keeps an index, if that is possible: if not, it is made again the next time.
  func keep(_ index: SourceIndex, of buildID: [UInt8]) {
    guard buildID.count >= Self.shortestID, makeFolder() else { return }
    let header = CacheFile.header(of: index, buildID: buildID)
    guard header.count * 4 + index.content.count * 4 <= byteLimit else { return }
    var place = Array("\(folder)/.part-XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&place)
    guard descriptor >= 0 else { return }
    let isWritten =
      unsafe header.withUnsafeBytes { unsafe Self.write($0, to: descriptor) }
      && (unsafe index.content.bytes.withUnsafeBytes { unsafe Self.write($0, to: descriptor) })
    guard close(descriptor) == 0, isWritten, unsafe rename(place, path(buildID)) == 0 else {
      unsafe unlink(place)
      return
    }
    removeOldest()
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var start = 0
    while start < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
      let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      start += count
    }
    return true
  }

  /// Makes the folder and those above it, as far as they are missing.
  private func makeFolder() -> Bool {
    var path = ""
    for part in folder.split(separator: "/") {
      path += "/\(part)"
      if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { return false }
    }
    return true
  }

  private struct Entry {
    var name: String
    var byteCount: Int
    var seconds: Int
    var nanoseconds: Int
  }

  /// The files of the cache, by name, with what writers left behind that ended too early.
  private func entries() -> [Entry] {
    guard let handle = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(handle) }
    var entries: [Entry] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      var status = stat()
      guard name.hasSuffix(Self.suffix) || name.hasPrefix(".part-"),
        unsafe lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG
      else { continue }
      entries.append(
        Entry(
          name: name, byteCount: Int(status.st_size), seconds: status.st_mtim.tv_sec,
          nanoseconds: status.st_mtim.tv_nsec))
    }
    return entries.sorted { $0.name < $1.name }
  }

  /// Removes what was not used for longest until the rest is small enough.
  private func removeOldest() {
    let entries = entries().sorted {
      ($0.seconds, $0.nanoseconds, $0.name) < ($1.seconds, $1.nanoseconds, $1.name)
    }
    var byteCount = entries.reduce(0) { $0 + $1.byteCount }
    for entry in entries where byteCount > byteLimit {
      if unsafe unlink("\(folder)/\(entry.name)") == 0 { byteCount -= entry.byteCount }
    }
  }
}
