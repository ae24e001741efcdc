internal import CWickKernel
internal import Glibc

/// A connection to the agent in a process; the protocol is described in the agent's `control_clients.c`.
@safe
public struct ControlConnection: ~Copyable {
  /// Why a request was refused, as the agent says it.
  public struct Refusal: Error, Equatable {
    /// `busy`, `idle`, `start`, `version` or `verb`; `silent` if there was no answer.
    public var code: String
    /// What else was said.
    public var facts: [String: String]
  }

  /// The socket.
  public let descriptor: Int32

  /// How long an answer may take.
  private static let patience = Duration.seconds(6)
  private static let lineLimit = 1024

  /// Takes a connected socket over.
  public init(taking descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Removes the sockets of this user's processes that were killed.
  public static func removeAbandoned() { ControlSocket.removeAbandoned() }

  /// Connects to the agent in a process, wherever that has its socket.
  ///
  /// - Parameter process: Its folders are looked through as it sees them itself.
  /// - Returns: nil if it has no agent that listens.
  public static func open(to process: TargetProcess) -> ControlConnection? {
    for path in ControlSocket.paths(of: process) {
      let descriptor = ControlSocket.connect(path)
      guard descriptor >= 0 else { continue }
      // Whoever put a socket there, it must be this process that answers.
      guard ControlSocket.peer(of: descriptor) == process.pid else {
        close(descriptor)
        continue
      }
      return ControlConnection(taking: descriptor)
    }
    return nil
  }

  /// Sends a request and reads the line that answers it.
  ///
  /// - Parameter request: A verb and its parameters.
  /// - Returns: What was said behind "ok".
  /// - Throws: `Refusal`.
  public borrowing func ask(_ request: String) throws(Refusal) -> [String: String] {
    let line = Array("wick 1 \(request)\n".utf8)
    guard unsafe send(descriptor, line, line.count, Int32(MSG_NOSIGNAL)) == line.count,
      let answer = readLine()
    else { throw Refusal(code: "silent", facts: [:]) }
    let words = answer.split(separator: " ")
    guard let first = words.first else { throw Refusal(code: "silent", facts: [:]) }
    let facts = Self.facts(of: answer)
    if first == "ok" { return facts }
    throw Refusal(code: words.count > 1 ? String(words[1]) : "unknown", facts: facts)
  }

  /// Words of the form `KEY=VALUE`; the value of `engine`, the last one, has spaces.
  private static func facts(of line: String) -> [String: String] {
    var facts: [String: String] = [:]
    var rest = Substring(line)
    let mark = " engine="
    for index in line.indices where line[index...].hasPrefix(mark) {
      facts["engine"] = String(line[index...].dropFirst(mark.count))
      rest = line[..<index]
      break
    }
    for word in rest.split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { facts[String(parts[0])] = String(parts[1]) }
    }
    return facts
  }

  /// Reads up to the next newline and no further: what follows is a recording.
  private borrowing func readLine() -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    let end = ContinuousClock.now.advanced(by: Self.patience)
    while line.count < Self.lineLimit {
      let rest = ContinuousClock.now.duration(to: end)
      guard rest > .zero else { return nil }
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let count = unsafe poll(&entry, 1, Int32(rest / .milliseconds(1)) + 1)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      let got = unsafe recv(descriptor, &byte, 1, 0)
      if got < 0, errno == EAGAIN || errno == EINTR { continue }
      guard got == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return nil
  }

  /// Asks for the end of the recording that is received; what is left of it still comes.
  public borrowing func finish() {
    let line = Array("stop\n".utf8)
    _ = unsafe send(descriptor, line, line.count, Int32(MSG_NOSIGNAL))
  }
}
