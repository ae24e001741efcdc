internal import WickProfile
internal import WickSymbols

/// All code of a process, with the tables that its stacks are walked by.
///
/// It is read from the process's memory, so it is what runs, wherever its files are by now. What was
/// read is kept for all threads.
final class LoadedCode {
  let pid: Int32
  private(set) var map: MemoryMap
  /// Modules that an address was looked for in.
  private(set) var modules: [LoadedModule] = []
  /// Places in `modules` by the start of the first mapping; nil where no module begins.
  private var places: [UInt64: Int?] = [:]
  /// Constant memory by page; empty for pages that cannot be read.
  private var pages: [UInt64: [UInt8]] = [:]
  private var latestPage: (number: UInt64, bytes: [UInt8]) = (.max, [])
  /// Tables of modules that have none in memory, by place; nil where the file has none either.
  private var madeTables: [Int: (table: LoadedModule.Table, bytes: [UInt8])?] = [:]
  private var isMapRenewed = false

  private static let pageSize: UInt64 = 4096
  /// Where made tables pretend to be: addresses that no process has.
  private static let madeStart: UInt64 = 0xf000_0000_0000_0000

  init(pid: Int32, map: MemoryMap) {
    self.pid = pid
    self.map = map
  }

  /// Whether an address is in code.
  func isCode(_ address: UInt64) -> Bool {
    if let mapping = map.mapping(at: address) { return mapping.isExecutable }
    // A library may have been loaded since, once.
    guard !isMapRenewed else { return false }
    isMapRenewed = true
    map = MemoryMap(pid: pid)
    return map.mapping(at: address)?.isExecutable ?? false
  }

  /// Whether the kernel has signal handlers return to an address: `mov $15, %rax; syscall`.
  func isSignalReturn(_ address: UInt64) -> Bool {
    word(at: address) == 0x0f00_0000_0fc0_c748
      && word(at: address &+ 8).map { $0 & 0xff == 0x05 } == true
  }

  /// The module that an address is in the code of.
  func module(at address: UInt64) -> Int? {
    guard let last = map.index(upTo: address) else { return nil }
    let mapping = map.mapping(at: address)
    for start in map.mappings[...last].reversed().lazy.filter(\.isStartOfFile) {
      guard let place = place(of: start) else { continue }
      let module = modules[place]
      // Code that was moved to large pages has no file any more.
      let isSameFile = mapping.map { $0.path.isEmpty || $0.file == module.file } ?? true
      if isSameFile, module.code.contains(where: { $0.contains(address) }) { return place }
    }
    return nil
  }

  private func place(of start: MemoryMap.Mapping) -> Int? {
    if let known = places[start.range.lowerBound] { return known }
    var place: Int?
    if let module = LoadedModule(start, pid: pid) {
      place = modules.count
      modules.append(module)
    }
    places[start.range.lowerBound] = .some(place)
    return place
  }

  /// Eight bytes of constant memory, or of a made table; nil if they cannot be read.
  func word(at address: UInt64) -> UInt64? {
    guard address < Self.madeStart else { return madeWord(at: address) }
    let offset = address % Self.pageSize
    let page = page(address / Self.pageSize)
    if offset <= Self.pageSize - 8 { return Self.word(in: page, at: Int(offset)) }
    let next = self.page(address / Self.pageSize + 1)
    let bytes = page.dropFirst(Int(offset)) + next.prefix(8)
    return Self.word(in: Array(bytes), at: 0)
  }

  private func page(_ number: UInt64) -> [UInt8] {
    if latestPage.number == number { return latestPage.bytes }
    let bytes: [UInt8]
    if let known = pages[number] {
      bytes = known
    } else {
      bytes = RemoteMemory.bytes(
        pid, at: number &* Self.pageSize, count: Int(Self.pageSize))
      pages[number] = bytes
    }
    latestPage = (number, bytes)
    return bytes
  }

  private static func word(in bytes: [UInt8], at offset: Int) -> UInt64? {
    guard bytes.count >= 8, offset <= bytes.count - 8 else { return nil }
    return unsafe bytes.withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
  }

  /// The search table of a module.
  func table(of place: Int) -> LoadedModule.Table? {
    if let table = modules[place].table { return table }
    if let known = madeTables[place] { return known?.table }
    let made = makeTable(of: place)
    madeTables[place] = .some(made)
    return made?.table
  }

  /// Makes a search table from a module's file.
  private func makeTable(of place: Int) -> (table: LoadedModule.Table, bytes: [UInt8])? {
    let module = modules[place].module
    let files = [
      "/proc/\(pid)/map_files/\(modules[place].link)", "/proc/\(pid)/root\(module.path)",
      "/proc/\(pid)/exe",
    ]
    for file in files {
      guard let records = UnwindRecords(path: file, buildID: module.buildID) else { continue }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(8 * records.entries.count)
      for entry in records.entries {
        let numbers = [
          UInt32(truncatingIfNeeded: entry.function &- records.address),
          UInt32(truncatingIfNeeded: entry.offset),
        ]
        for number in numbers {
          for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
          }
        }
      }
      let table = LoadedModule.Table(
        base: records.address &+ module.loadBias, address: Self.madeStart + UInt64(place) << 32,
        entryCount: UInt64(records.entries.count))
      return (table, bytes)
    }
    return nil
  }

  private func madeWord(at address: UInt64) -> UInt64? {
    let place = Int((address - Self.madeStart) >> 32)
    guard let made = madeTables[place] ?? nil else { return nil }
    return Self.word(in: made.bytes, at: Int(address & 0xffff_ffff))
  }
}
