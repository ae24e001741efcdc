internal import CWickKernel
internal import Glibc

/// The unix sockets that agents listen at: `PLACE/wick-UID/PID-START.sock`, with ids as their
/// processes see them.
enum ControlSocket {
  private static let places = ["/run", "/tmp", "/dev/shm", "/var/tmp"]

  /// Paths that may be of a process, as far as its folders are private to its user.
  static func paths(of process: TargetProcess) -> [String] {
    let root = "/proc/\(process.pid)/root"
    return places.flatMap { place in
      folders(in: "\(root)\(place)", of: process.userID).flatMap { folder in
        ProcFile.names(in: folder).filter { $0.hasPrefix("\(process.ownPID)-") }
          .map { "\(folder)/\($0)" }
      }
    }
  }

  /// Agents' folders in a place that belong to a user alone; others may have planted theirs.
  private static func folders(in place: String, of userID: UInt32) -> [String] {
    ProcFile.names(in: place).filter { $0.hasPrefix("wick-") }.map { "\(place)/\($0)" }
      .filter { path in
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
          && status.st_uid == userID && status.st_mode & 0o077 == 0
      }
  }

  /// A socket connected to a path; negative if nobody listens there.
  static func connect(_ path: String) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return -1 }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // A path through /proc/PID/root may be too long for an address; a descriptor's is short.
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let folder = unsafe open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    let bytes = Array("/proc/self/fd/\(folder)\(path[slash...])".utf8)
    guard folder >= 0, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      close(descriptor)
      return -1
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      return -1
    }
    return descriptor
  }

  /// The process at the other end of a socket; see unix(7).
  static func peer(of descriptor: Int32) -> Int32? {
    let pid = wick_kernel_peer(descriptor)
    return pid > 0 ? pid : nil
  }
}
