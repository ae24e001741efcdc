import Glibc

extension Arguments {
  /// The values of an option that names folders.
  ///
  /// Nothing is found in a folder that is not there, so that is no failure; but a slip of the pen
  /// would show only as missing names or sources, so it is said.
  func folders(_ name: String) -> [String] {
    let folders = all(name)
    for folder in folders {
      var status = stat()
      if unsafe stat(folder, &status) != 0 {
        Console.error("'\(name) \(folder)' is of no use: \(Failure.reason(errno))")
      } else if status.st_mode & S_IFMT != S_IFDIR {
        Console.error("'\(name) \(folder)' is of no use: it is no folder")
      }
    }
    return folders
  }
}
