internal import WickProfile
internal import WickRecording
internal import WickSymbols

/// Where a process has code, and of which modules.
struct CodeMap {
  /// What code an address is of.
  enum Place: Equatable {
    /// Index into `modules`.
    case module(Int)
    /// Code that is in no file, as a just-in-time compiler writes it.
    case noModule
  }

  /// A part of memory with code.
  private struct Part {
    var range: Range<UInt64>
    /// Index into `modules`; nil for code that is in no file.
    var module: Int?
  }

  /// What makes a module the same at another look.
  private struct Identity: Hashable {
    var path: String
    var inode: UInt64
    var loadBias: UInt64
  }

  private let pid: Int32
  /// By address, apart from each other.
  private var parts: [Part] = []
  /// All modules that were ever mapped.
  private(set) var modules: [Module] = []
  private var known: [Identity: Int] = [:]

  /// Looks at a process.
  init(pid: Int32) {
    self.pid = pid
    refresh()
  }

  /// The map of a process whose memory is a copy.
  init(pid: Int32, copying parent: CodeMap) {
    let own = CodeMap(pid: pid)
    self = own.parts.isEmpty ? parent : own
  }

  /// Looks at the process anew; false if that is not possible.
  @discardableResult
  mutating func refresh() -> Bool {
    guard let mappings = CodeMapping.all(of: pid) else { return false }
    parts = []
    for mapping in mappings { insert(mapping) }
    return true
  }

  /// Notes that code was mapped, maybe over what was there.
  mutating func insert(_ mapping: CodeMapping) {
    let range = mapping.range
    if range.lowerBound >= parts.last?.range.upperBound ?? 0 {
      parts.append(Part(range: range, module: module(of: mapping)))
      return
    }
    var kept: [Part] = []
    for part in parts {
      guard part.range.overlaps(range) else {
        kept.append(part)
        continue
      }
      if part.range.lowerBound < range.lowerBound {
        kept.append(Part(range: part.range.lowerBound..<range.lowerBound, module: part.module))
      }
      if part.range.upperBound > range.upperBound {
        kept.append(Part(range: range.upperBound..<part.range.upperBound, module: part.module))
      }
    }
    let place = kept.firstIndex { $0.range.lowerBound > range.lowerBound } ?? kept.count
    kept.insert(Part(range: range, module: module(of: mapping)), at: place)
    parts = kept
  }

  /// The module of an address.
  ///
  /// - Parameter address: A runtime address.
  /// - Returns: Where there is no code, nil.
  func place(at address: UInt64) -> Place? {
    var (low, high) = (0, parts.count)
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].range.upperBound <= address { low = middle + 1 } else { high = middle }
    }
    guard low < parts.count, parts[low].range.contains(address) else { return nil }
    return parts[low].module.map { .module($0) } ?? .noModule
  }

  private mutating func module(of mapping: CodeMapping) -> Int? {
    let layout: ElfLayout?
    if mapping.path == "[vdso]" {
      layout = ElfLayout.vdso
    } else if mapping.path.hasPrefix("/"), mapping.inode != 0 {
      layout = self.layout(of: mapping)
    } else {
      layout = nil
    }
    guard let layout,
      let bias = layout.loadBias(mappedAt: mapping.range.lowerBound, offset: mapping.offset)
    else { return nil }
    let identity = Identity(path: mapping.path, inode: mapping.inode, loadBias: bias)
    if let index = known[identity], modules[index].buildID == layout.buildID { return index }
    modules.append(
      Module(
        path: mapping.path, buildID: layout.buildID, loadBias: bias, extent: layout.extent))
    known[identity] = modules.count - 1
    return modules.count - 1
  }

  /// The headers of the file behind a mapping; nil if it is none of code, or cannot be read.
  private func layout(of mapping: CodeMapping) -> ElfLayout? {
    func hexadecimal(_ value: UInt64) -> String { String(value, radix: 16) }
    let ends = (hexadecimal(mapping.range.lowerBound), hexadecimal(mapping.range.upperBound))
    // The very file, even if another is at its path by now; needs rights of its own.
    if let layout = try? ElfLayout(path: "/proc/\(pid)/map_files/\(ends.0)-\(ends.1)") {
      return layout
    }
    let paths = ["/proc/\(pid)/root\(mapping.path)", "/proc/\(pid)/exe"]
    let found = paths.first { ProcFile.inode($0) == mapping.inode }
    // Stacked file systems show other numbers in mappings.
    guard let path = found ?? (mapping.isDeleted ? nil : paths[0]) else { return nil }
    return try? ElfLayout(path: path)
  }
}
