import Glibc

/// Folders on disk.
enum Folder {
  /// Names in a folder, sorted; none if it cannot be read.
  static func names(in path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a private folder beside a file; its name begins with a dot.
  static func makePrivate(beside path: String) throws -> String {
    let parent = OutputFile.folder(of: path)
    var template = Array("\(parent)/.wick-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil
    else {
      throw Failure.failed(
        "cannot make a folder in \(parent): \(Failure.reason(errno)); choose another place with -o")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes a folder of plain files.
  static func remove(_ path: String) {
    for name in names(in: path) { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }

  /// A path made absolute by the current folder.
  static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(current) }
    return unsafe "\(String(cString: current))/\(path)"
  }
}
