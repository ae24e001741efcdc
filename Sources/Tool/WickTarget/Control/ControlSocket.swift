internal import CWickKernel
internal import Glibc

/// The unix sockets that agents listen at: `PLACE/wick-UID/PID-START.sock`, with ids as their
/// processes see them.
enum ControlSocket {
  private static let places = ["/run", "/tmp", "/dev/shm", "/var/tmp"]

  /// Who is just about to listen is left alone for so long.
  private static let settledSeconds = 10

  /// Paths that may be of a process, as far as its folders are private to its user, or to root: it may
  /// have been root when its agent came.
  static func paths(of process: TargetProcess) -> [String] {
    // In our own folders, too: it may have changed its root since.
    ["/proc/\(process.pid)/root", ""].flatMap { root in
      places.flatMap { place in
        folders(in: "\(root)\(place)", of: [process.userID, 0]).flatMap { folder in
          ProcFile.names(in: folder).filter { $0.hasPrefix("\(process.ownPID)-") }
            .map { "\(folder)/\($0)" }
        }
      }
    }
  }

  /// Agents' folders in a place that belong to one of some users alone; others may have planted
  /// theirs.
  private static func folders(in place: String, of userIDs: Set<UInt32>) -> [String] {
    ProcFile.names(in: place).filter { $0.hasPrefix("wick-") }.map { "\(place)/\($0)" }
      .filter { path in
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
          && userIDs.contains(status.st_uid) && status.st_mode & 0o077 == 0
      }
  }

  /// Removes the sockets of processes that were killed, from folders of this user.
  static func removeAbandoned() {
    for path in places.flatMap({ folders(in: $0, of: [geteuid()]) }) {
      let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard folder >= 0 else { continue }
      for name in ProcFile.names(in: path) where name.hasSuffix(".sock") {
        var status = stat()
        guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
          status.st_mode & S_IFMT == S_IFSOCK,
          status.st_mtim.tv_sec + settledSeconds < time(nil)
        else { continue }
        let connection = connect("\(path)/\(name)")
        if connection >= 0 {
          close(connection)
        } else if connection == -ECONNREFUSED {
          unsafe unlinkat(folder, name, 0)
        }
      }
      close(folder)
    }
  }

  /// Connects to a path, without waiting.
  ///
  /// - Returns: A socket, or a negative `errno` if nobody takes calls there.
  static func connect(_ path: String) -> Int32 {
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let descriptor = socket(AF_UNIX, Int32(kind), 0)
    guard descriptor >= 0 else { return -errno }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // A path through /proc/PID/root may be too long for an address; a descriptor's is short.
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let folder = unsafe open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    let bytes = Array("/proc/self/fd/\(folder)\(path[slash...])".utf8)
    guard folder >= 0, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      close(descriptor)
      return -ENAMETOOLONG
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else {
      let code = errno
      close(descriptor)
      return -code
    }
    return descriptor
  }

  /// The process at the other end of a socket; see unix(7).
  static func peer(of descriptor: Int32) -> Int32? {
    let pid = wick_kernel_peer(descriptor)
    return pid > 0 ? pid : nil
  }
}
