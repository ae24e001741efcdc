import Glibc

/// A file's bytes, mapped read-only for as long as this value lives.
///
/// The mapping is private; a file that others truncate meanwhile still faults on access, so only
/// files that are complete (recordings that ended, binaries) should be mapped.
@safe
public struct MappedFile: ~Copyable {
  /// A file that could not be opened or mapped.
  public struct Failure: Error, Equatable {
    /// The file.
    public var path: String
    /// Why, as `errno`.
    public var errno: Int32
  }

  private let start: UnsafeRawPointer?
  private let byteCount: Int

  /// Maps a file.
  public init(path: String) throws(Failure) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path: path, errno: Glibc.errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw Failure(path: path, errno: Glibc.errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(path: path, errno: EINVAL) }
    guard status.st_size > 0 else {
      unsafe start = nil
      byteCount = 0
      return
    }
    let mapping = unsafe mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw Failure(path: path, errno: Glibc.errno)
    }
    unsafe start = UnsafeRawPointer(mapping)
    byteCount = Int(status.st_size)
  }

  deinit {
    guard let start = unsafe start else { return }
    unsafe munmap(UnsafeMutableRawPointer(mutating: start), byteCount)
  }

  /// The whole file.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let buffer = unsafe UnsafeRawBufferPointer(start: start, count: byteCount)
      return unsafe _overrideLifetime(buffer.bytes, borrowing: self)
    }
  }
}
