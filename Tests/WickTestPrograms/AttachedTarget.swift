package import Foundation
import Glibc
package import Testing

/// A process that is attached to, recorded and left, again and again.
package struct AttachedTarget {
  package let pid: pid_t
  package let folder: URL
  /// What the program itself changes while it works, among `Footprint.differences`.
  package var isOwn: (String) -> Bool
  package var rate = 999
  package var milliseconds = 60
  /// More of `wick attach`.
  package var options: [String]

  package init(
    pid: pid_t, folder: URL, options: [String] = [],
    isOwn: @escaping (String) -> Bool = { _ in false }
  ) {
    self.pid = pid
    self.folder = folder
    self.options = options
    self.isOwn = isOwn
  }

  /// How often a target is attached to: a few times, and by hand a few hundred.
  package static let cycles =
    ProcessInfo.processInfo.environment["WICK_ATTACH_CYCLES"].flatMap { Int($0) } ?? 10

  /// Attaches once; the exit code and what was said.
  @discardableResult
  package func attach(milliseconds: Int? = nil) throws -> (exitCode: Int32, output: String) {
    let recording = folder.appending(path: "attach-\(pid).wick").path
    let time = "\(milliseconds ?? self.milliseconds)ms"
    return try Program.run(
      "wick", ["attach", "\(pid)", "-d", time, "-F", "\(rate)", "-o", recording] + options,
      folder: folder)
  }

  /// Whether a run recorded; nothing may have happened meanwhile in the target.
  package static func isFine(_ run: (exitCode: Int32, output: String)) -> Bool {
    run.exitCode == 0 || (run.exitCode == 1 && run.output.contains("there are no samples"))
  }

  /// Waits until the agent has gone.
  package func expectAgentGone(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
      Wait.until(seconds: 10) {
        !Footprint.hasAgentThreads(pid) && Footprint.sockets(pid).isEmpty
      }, "\(Footprint(pid).threads) \(Footprint.sockets(pid))", sourceLocation: sourceLocation)
  }

  /// Attaches `count` times and looks that nothing is left, and that what is left does not grow.
  package func cycle(
    _ count: Int = Self.cycles, between: () throws -> Void = {},
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = Footprint(pid)
    var first: Footprint?
    var sampled = 0
    var refused = 0
    for number in 0..<count {
      let run = try attach()
      // A thread that has always something to do is not entered.
      if run.exitCode == 3, run.output.contains("in a call where it is safe to enter") {
        refused += 1
        continue
      }
      try #require(Self.isFine(run), "cycle \(number): \(run)", sourceLocation: sourceLocation)
      sampled += run.exitCode == 0 ? 1 : 0
      try between()
      if number == 1 {
        expectAgentGone(sourceLocation: sourceLocation)
        first = Footprint(pid)
      }
    }
    expectAgentGone(sourceLocation: sourceLocation)
    let after = Footprint(pid)
    let differences = after.differences(since: before, isOwn: isOwn)
    #expect(differences.isEmpty, sourceLocation: sourceLocation)
    #expect(after.agentCount == 1, "\(after.files)", sourceLocation: sourceLocation)
    if let first {
      #expect(
        after.mappingCount - first.mappingCount < max(4, count / 2),
        "mappings: \(before.mappingCount), \(first.mappingCount), \(after.mappingCount)",
        sourceLocation: sourceLocation)
    }
    #expect(sampled > 0 && refused <= count / 5, sourceLocation: sourceLocation)
    print(
      "\(count) cycles, \(sampled) with samples, \(refused) refused; mappings \(before.mappingCount) to "
        + "\(after.mappingCount)")
  }
}

/// Folders and ports for servers.
package enum Place {
  /// Gives a new folder that every user may use, removed afterwards.
  package static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    chmod(folder.path, 0o777)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// A port on which nobody listens now.
  package static func freePort() throws -> Int {
    let door = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(door) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(door, $0, size) == 0 && getsockname(door, $0, &size) == 0
      }
    }
    try #require(isBound)
    return Int(UInt16(bigEndian: address.sin_port))
  }

  package static func has(_ programs: String...) -> Bool {
    let missing = programs.filter { !FileManager.default.isExecutableFile(atPath: $0) }
    if !missing.isEmpty { print("not tested: \(missing.joined(separator: ", ")) is missing") }
    return missing.isEmpty
  }
}
