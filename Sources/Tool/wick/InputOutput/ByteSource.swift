import Glibc

/// Reads a file or pipe part by part.
struct ByteSource: ~Copyable {
  private let descriptor: Int32
  private let isOwned: Bool
  /// What messages call it.
  let name: String

  /// Reads standard input.
  init() {
    (descriptor, isOwned, name) = (STDIN_FILENO, false, "standard input")
  }

  /// Opens a file.
  init(path: String, name: String) throws {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Failure.noTarget("cannot read \(path): \(Failure.reason(errno))")
    }
    isOwned = true
    self.name = name
  }

  deinit {
    if isOwned { close(descriptor) }
  }

  /// Fills bytes from `start` on, as far as there are any.
  ///
  /// - Parameters:
  ///   - bytes: Room, of which the bytes before `start` are kept.
  ///   - start: Where to begin.
  /// - Returns: The end of what was filled: less than all at the end of the file only.
  /// - Throws: `Failure` if it cannot be read.
  borrowing func fill(_ bytes: inout [UInt8], from start: Int) throws -> Int {
    var end = start
    while end < bytes.count {
      let room = bytes.count - end
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress.map { unsafe $0 + end }, room)
      }
      if count == 0 { break }
      if count < 0, errno != EINTR {
        throw Failure.noTarget("cannot read \(name): \(Failure.reason(errno))")
      }
      end += max(count, 0)
    }
    return end
  }

  /// Appends up to `byteCount` bytes, as many as there are; returns false at the end.
  borrowing func read(_ byteCount: Int, into bytes: inout [UInt8]) throws -> Bool {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: byteCount))
    let end = try fill(&bytes, from: start)
    bytes.removeSubrange(end...)
    return end > start
  }

  /// What the file has in all; 0 where that is not known.
  var byteCount: Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return 0
    }
    return Int(status.st_size)
  }
}
