internal import WickProfile
internal import WickRecording

/// The functions that a library in another process exports, looked up in its memory, as the loader
/// does: by `DT_GNU_HASH` of its dynamic section (System V gABI, chapter 5, and GNU's hash section).
struct RemoteSymbols {
  private let pid: Int32
  private let bias: UInt64
  private var symbols: UInt64 = 0
  private var strings: UInt64 = 0
  private var hash: UInt64 = 0

  /// Tags of dynamic entries; see elf(5).
  private enum Tag {
    static let strings: UInt64 = 5
    static let symbols: UInt64 = 6
    static let gnuHash: UInt64 = 0x6fff_fef5
  }

  /// Reads the dynamic section of a module that begins with a mapping; nil if it has none.
  init?(pid: Int32, _ start: MemoryMap.Mapping) {
    guard let module = LoadedModule(start, pid: pid), let dynamic = module.dynamic else {
      return nil
    }
    self.pid = pid
    bias = module.module.loadBias
    let bytes = RemoteMemory.bytes(
      pid, at: dynamic.lowerBound, count: Int(min(UInt64(dynamic.count), 1 << 16)))
    var reader = unsafe ByteReader(bytes.span.bytes)
    while let tag = try? reader.integer(UInt64.self), tag != 0,
      let value = try? reader.integer(UInt64.self)
    {
      switch tag {
      case Tag.strings: strings = value
      case Tag.symbols: symbols = value
      case Tag.gnuHash: hash = value
      default: break
      }
    }
    guard strings != 0, symbols != 0, hash != 0 else { return nil }
  }

  /// The runtime address of a function; nil if the library does not define it.
  func address(of name: String) -> UInt64? {
    let wanted = Self.hash(of: name)
    guard let bucketCount = word(hash), bucketCount > 0, let first = word(hash &+ 4),
      let filterSize = word(hash &+ 8)
    else { return nil }
    let buckets = hash &+ 16 &+ 8 &* UInt64(filterSize)
    let chains = buckets &+ 4 &* UInt64(bucketCount)
    guard var index = word(buckets &+ 4 &* UInt64(wanted % bucketCount)), index >= first else {
      return nil
    }
    // A chain ends with an odd hash; a broken one at some point, too.
    for _ in 0..<4096 {
      guard let found = word(chains &+ 4 &* UInt64(index &- first)) else { return nil }
      if found | 1 == wanted | 1, let address = address(at: index, named: name) { return address }
      if found & 1 == 1 { return nil }
      index &+= 1
    }
    return nil
  }

  /// The address of a symbol if it has this name and is defined.
  private func address(at index: UInt32, named name: String) -> UInt64? {
    let bytes = RemoteMemory.bytes(pid, at: symbols &+ 24 &* UInt64(index), count: 24)
    var reader = unsafe ByteReader(bytes.span.bytes)
    guard let offset = try? reader.integer(UInt32.self), (try? reader.skip(2)) != nil,
      let section = try? reader.integer(UInt16.self), section != 0,
      let value = try? reader.integer(UInt64.self)
    else { return nil }
    let expected = Array(name.utf8) + [0]
    let found = RemoteMemory.bytes(pid, at: strings &+ UInt64(offset), count: expected.count)
    return found == expected ? bias &+ value : nil
  }

  private func word(_ address: UInt64) -> UInt32? {
    let bytes = RemoteMemory.bytes(pid, at: address, count: 4)
    var reader = unsafe ByteReader(bytes.span.bytes)
    return try? reader.integer(UInt32.self)
  }

  private static func hash(of name: String) -> UInt32 {
    name.utf8.reduce(5381) { $0 &* 33 &+ UInt32($1) }
  }
}
