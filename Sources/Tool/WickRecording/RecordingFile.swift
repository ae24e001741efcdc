internal import Glibc

/// A file that whole chunks are appended to.
public final class RecordingFile {
  private let descriptor: Int32
  private var byteCount: off_t = 0

  /// Creates a file, or empties the one that is there; only its owner may read it.
  ///
  /// - Parameter path: Where; the last component must not be a symbolic link.
  /// - Throws: `RecordingWriteError`.
  public init(path: String) throws(RecordingWriteError) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw RecordingWriteError(code: errno) }
  }

  deinit {
    close(descriptor)
  }

  /// Appends all of the bytes or, on failure, none.
  public func append(_ bytes: RawSpan) throws(RecordingWriteError) {
    var written = 0
    while written < bytes.byteCount {
      let rest = bytes.extracting(droppingFirst: written)
      let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let code = count < 0 ? errno : ENOSPC
        // Part of a chunk is of no use to a reader.
        ftruncate(descriptor, byteCount)
        lseek(descriptor, byteCount, SEEK_SET)
        throw RecordingWriteError(code: code)
      }
      written += count
    }
    byteCount += off_t(bytes.byteCount)
  }
}
