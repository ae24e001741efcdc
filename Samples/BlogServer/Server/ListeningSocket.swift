import Glibc

/// A socket on 127.0.0.1 that accepts connections; whoever takes it closes it.
struct ListeningSocket: Sendable {
  let descriptor: Int32
  let port: UInt16

  /// Opens one socket per worker on the same port, among which the kernel spreads the connections.
  ///
  /// - Parameters:
  ///   - count: How many sockets, at least one.
  ///   - port: The port, or 0 for a free one.
  /// - Returns: The sockets, listening.
  /// - Throws: ``SocketError`` if the port is taken.
  static func group(count: Int, port: UInt16) throws(SocketError) -> [ListeningSocket] {
    // With SO_REUSEPORT a second server could join the group unnoticed, so see that it is free.
    let probe = try ListeningSocket(port: port, sharesPort: false)
    close(probe.descriptor)
    var group: [ListeningSocket] = []
    for _ in 0..<count {
      group.append(try ListeningSocket(port: probe.port, sharesPort: true))
    }
    return group
  }

  private init(port: UInt16, sharesPort: Bool) throws(SocketError) {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(port: port, code: errno) }
    var yes: Int32 = 1
    let length = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, length)
    if sharesPort {
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, length)
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failure = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) != 0 || listen(descriptor, 1024) != 0
          || getsockname(descriptor, address, &size) != 0 ? errno : 0
      }
    }
    guard failure == 0 else {
      close(descriptor)
      throw SocketError(port: port, code: failure)
    }
    self.descriptor = descriptor
    self.port = UInt16(bigEndian: address.sin_port)
  }
}

/// A port that cannot be listened on.
struct SocketError: Error, CustomStringConvertible {
  let port: UInt16
  let code: Int32

  var description: String {
    "cannot listen on 127.0.0.1:\(port): \(String(cString: strerror(code)))"
  }
}
