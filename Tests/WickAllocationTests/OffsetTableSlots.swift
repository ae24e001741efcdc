import Foundation
import Testing
import WickTestPrograms

/// What stands in the slots through which a process's modules call malloc and its kin.
enum OffsetTableSlots {
  /// Functions that may be hooked.
  private static let names = [
    "malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign", "aligned_alloc",
    "memalign", "valloc", "pvalloc", "malloc_usable_size", "mmap", "munmap", "mmap64",
  ]

  /// Reads all slots, by module and function.
  static func read(_ pid: pid_t, folder: URL) throws -> [String: UInt64] {
    let memory = open("/proc/\(pid)/mem", O_RDONLY | O_CLOEXEC)
    try #require(memory >= 0)
    defer { close(memory) }
    var result: [String: UInt64] = [:]
    for (path, start) in try modules(pid) {
      for slot in try slots(path, folder: folder) {
        var word: UInt64 = 0
        let address = start &+ slot.offset
        let count = pread(memory, &word, 8, off_t(truncatingIfNeeded: address))
        try #require(count == 8, "\(path) \(slot)")
        result["\(path) \(slot.name) \(String(slot.offset, radix: 16))"] = word
      }
    }
    return result
  }

  /// Files that are mapped as code and where each begins.
  private static func modules(_ pid: pid_t) throws -> [(path: String, start: UInt64)] {
    let process = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(pid)/maps"))
    let lines = String(decoding: try process.readToEnd() ?? Data(), as: UTF8.self)
      .split(separator: "\n")
    var starts: [String: UInt64] = [:]
    var code: Set<String> = []
    for line in lines {
      guard let slash = line.firstIndex(of: "/") else { continue }
      let path = String(line[slash...])
      let words = line.split(separator: " ")
      // Neither the agent, nor data.
      guard FileManager.default.fileExists(atPath: path), !path.contains("/libwick") else {
        continue
      }
      if words[2] == "00000000", starts[path] == nil {
        starts[path] = UInt64(words[0].prefix { $0 != "-" }, radix: 16)
      }
      if words[1].contains("x") { code.insert(path) }
    }
    return starts.filter { code.contains($0.key) }.map { ($0.key, $0.value) }
  }

  private struct Slot {
    var name: String
    /// From where the file begins in memory.
    var offset: UInt64
  }

  /// Relocations of a file that name one of the functions.
  private static func slots(_ path: String, folder: URL) throws -> [Slot] {
    // Also the first loaded segment, whose address is that of the file's beginning.
    let pattern = " (\(names.joined(separator: "|")))(@| |$)|^ +LOAD "
    let run = try Program.run(
      "/bin/sh", ["-c", "readelf -lrW \"$0\" | grep -E \"$1\"", path, pattern], folder: folder)
    var base: UInt64?
    var result: [Slot] = []
    for line in run.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words[0] == "LOAD" {
        // Offset and address.
        let numbers = words[1...2].compactMap { UInt64($0.dropFirst(2), radix: 16) }
        if base == nil, numbers.count == 2 { base = numbers[1] &- numbers[0] }
      } else if words.count > 4, let address = UInt64(words[0], radix: 16) {
        result.append(Slot(name: String(words[4]), offset: address))
      }
    }
    return result.map { Slot(name: $0.name, offset: $0.offset &- (base ?? 0)) }
  }
}
