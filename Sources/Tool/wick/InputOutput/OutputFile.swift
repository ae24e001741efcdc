import Glibc

/// Writes a file whole or not at all: beside its place first, then renamed into it.
enum OutputFile {
  /// Fills a file.
  ///
  /// - Parameters:
  ///   - path: Where; `-` is standard output. Devices and pipes are written as they are, links are
  ///     followed.
  ///   - body: Writes the content.
  /// - Throws: `Failure`; then nothing is left in the file's place.
  static func write(_ path: String, _ body: (inout ByteSink) throws -> Void) throws {
    guard path != "-", path != "/dev/stdout" else {
      var sink = ByteSink(descriptor: STDOUT_FILENO, name: "standard output")
      try body(&sink)
      try sink.finish()
      return
    }
    var status = stat()
    let exists = unsafe stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT == S_IFDIR {
      throw Failure.failed("cannot write \(path): it is a folder; name a file with -o")
    }
    // What descriptors lead to (/dev/fd/3) is not to be replaced by a file of that name.
    let isPlain =
      (!exists || status.st_mode & S_IFMT == S_IFREG)
      && !path.hasPrefix("/dev/") && !path.hasPrefix("/proc/")
    let target = isPlain ? followingLinks(path) : path
    let place = isPlain ? "\(target).part-\(getpid())" : path
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (isPlain ? O_EXCL : 0)
    let descriptor = unsafe open(place, flags, 0o666)
    guard descriptor >= 0 else {
      throw Failure.failed(
        "cannot write \(path): \(Failure.reason(errno)); choose another place with -o")
    }
    var sink = ByteSink(descriptor: descriptor, name: path)
    do {
      try body(&sink)
      try sink.finish()
      guard close(descriptor) == 0 else {
        throw Failure.failed("cannot write \(path): \(Failure.reason(errno))")
      }
    } catch {
      close(descriptor)
      if isPlain { unsafe unlink(place) }
      throw error
    }
    if isPlain, unsafe rename(place, target) != 0 {
      let code = errno
      unsafe unlink(place)
      throw Failure.failed("cannot write \(path): \(Failure.reason(code))")
    }
  }

  /// Where a path leads: a file is renamed onto that, so that a link stays a link.
  private static func followingLinks(_ path: String) -> String {
    guard let resolved = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Throws early if a file cannot be made where it shall be.
  static func check(_ path: String) throws {
    let folder = folder(of: path)
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      throw Failure.failed(
        "cannot write \(path): \(Failure.reason(errno)); choose another place with -o")
    }
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw Failure.failed("cannot write \(path): it is a folder; name a file with -o")
    }
  }

  /// The folder that a path is in.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
