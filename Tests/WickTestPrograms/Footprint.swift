import Foundation
package import Glibc

/// What a process has that an agent could leave behind.
package struct Footprint {
  /// Descriptors and what they are.
  package var descriptors: Set<String>
  package var threads: [String]
  /// Mapped files, once each, and the number of all mappings.
  package var files: Set<String>
  package var mappingCount: Int
  /// Copies of the agent's library.
  package var agentCount: Int
  package var signals: [String: UInt64]

  private static let signalLines = ["SigBlk", "SigIgn", "SigCgt"]
  /// Bit of SIGTRAP.
  private static let trap: UInt64 = 1 << 4
  /// Bits of 32 and 33, which glibc takes for itself when a program makes its first thread.
  private static let ofGlibc: UInt64 = 3 << 31

  package init(_ pid: pid_t) {
    let folder = "/proc/\(pid)"
    func names(_ path: String) -> [String] {
      (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    }
    descriptors = Set(
      names("\(folder)/fd").compactMap { number in
        let target = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "\(folder)/fd/\(number)")
        return target.map { "\(number) \($0)" }
      })
    threads = names("\(folder)/task").map {
      Self.text("\(folder)/task/\($0)/comm").trimmingCharacters(in: .newlines)
    }
    let lines = Self.text("\(folder)/maps").split(separator: "\n")
    mappingCount = lines.count
    files = Set(
      lines.compactMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } })
    agentCount = lines.count { $0.contains("/memfd:wick") && $0.contains(" r-xp ") }
    signals = [:]
    for line in Self.text("\(folder)/status").split(separator: "\n") {
      let parts = line.split(separator: ":")
      if Self.signalLines.contains(String(parts[0])) {
        signals[String(parts[0])] = UInt64(parts[1].trimmingCharacters(in: .whitespaces), radix: 16)
      }
    }
  }

  /// Reads a file of /proc, whose size nobody knows before.
  private static func text(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = read(file, &buffer, buffer.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }

  /// Whether an agent's threads are in the process.
  package static func hasAgentThreads(_ pid: pid_t) -> Bool {
    Footprint(pid).threads.contains { $0.hasPrefix("wick-") }
  }

  /// The control sockets of a process.
  package static func sockets(_ pid: pid_t) -> [String] {
    ["/run", "/tmp", "/dev/shm", "/var/tmp"].flatMap { place in
      ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [])
        .filter { $0.hasPrefix("wick-") }
        .flatMap { folder in
          ((try? FileManager.default.contentsOfDirectory(atPath: "\(place)/\(folder)")) ?? [])
            .filter { $0.hasPrefix("\(pid)-") }.map { "\(place)/\(folder)/\($0)" }
        }
    }
  }

  /// What is there now and was not before, and the reverse, but for what is the program's own doing.
  package func differences(since before: Footprint, isOwn: (String) -> Bool) -> [String] {
    var result: [String] = []
    result += descriptors.subtracting(before.descriptors).map { "new descriptor \($0)" }
    result += before.descriptors.subtracting(descriptors).map { "lost descriptor \($0)" }
    let mapped = files.subtracting(before.files).filter { !$0.hasPrefix("/memfd:wick") }
    result += mapped.map { "new mapping \($0)" }
    for name in Set(threads + before.threads) {
      let (old, new) = (before.threads.count { $0 == name }, threads.count { $0 == name })
      if old != new { result.append("threads \(name): \(old), then \(new)") }
    }
    for line in Self.signalLines {
      var old = (before.signals[line] ?? 0) & ~Self.ofGlibc
      var new = (signals[line] ?? 0) & ~Self.ofGlibc
      // Once a process of several threads has been sampled by perf events, the handler stays.
      if line == "SigCgt" { (old, new) = (old | Self.trap, new | Self.trap) }
      if old != new {
        result.append("\(line) \(String(old, radix: 16)), then \(String(new, radix: 16))")
      }
    }
    if agentCount > 1 { result.append("\(agentCount) copies of the agent") }
    return result.filter { !isOwn($0) }
  }
}
