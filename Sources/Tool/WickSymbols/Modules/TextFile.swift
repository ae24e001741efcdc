internal import Glibc

/// Small files that are not mapped: they have no size (`/proc`), or others may cut them.
enum TextFile {
  /// Reads a regular file; nil if that is not possible or it is too large.
  static func read(_ path: String, byteLimit: Int) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      // Another user must not name our functions.
      status.st_uid == geteuid() || status.st_uid == 0 || geteuid() == 0
    else { return nil }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe part.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0, bytes.count + count <= byteLimit else { return nil }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += part[..<count]
    }
  }
}
