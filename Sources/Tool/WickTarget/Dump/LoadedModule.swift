internal import WickProfile
internal import WickRecording
internal import WickSymbols

/// A file of code as it lies in a process's memory, which is all that is read of it.
struct LoadedModule {
  /// Where functions' unwind information is found: pairs of 32-bit numbers, both from `base` on.
  struct Table {
    var base: UInt64
    var address: UInt64
    var entryCount: UInt64
  }

  private struct Segment {
    var type: UInt32
    var flags: UInt32
    var offset: UInt64
    var address: UInt64
    var byteCount: UInt64
    var memorySize: UInt64
    var alignment: UInt64
  }

  let module: Module
  /// Runtime addresses of its code.
  let code: [Range<UInt64>]
  /// Device and inode.
  let file: Substring
  /// nil where it has none in memory.
  let table: Table?
  /// The dynamic section; nil in a static program.
  let dynamic: Range<UInt64>?
  /// Link to the file below `/proc/PID/map_files`.
  let link: Substring

  /// Types of segments; see elf(5).
  private enum SegmentType {
    static let load: UInt32 = 1
    static let dynamic: UInt32 = 2
    static let note: UInt32 = 4
    static let unwindTable: UInt32 = 0x6474_e550
  }

  /// The most bytes of headers and of notes that are read.
  private static let byteLimit = 1 << 16

  /// Reads headers; nil if a mapping does not begin with those of a program or library.
  init?(_ start: MemoryMap.Mapping, pid: Int32) {
    let origin = start.range.lowerBound
    let read = { (address: UInt64, count: UInt64) in
      RemoteMemory.bytes(pid, at: address, count: Int(min(count, UInt64(Self.byteLimit))))
    }
    let size = UInt64(start.range.upperBound - origin)
    let header = read(origin, min(size, 4096))
    guard let segments = unsafe try? Self.segments(header.span.bytes) else { return nil }
    let loaded = segments.filter { $0.type == SegmentType.load }
    guard let first = loaded.first(where: { $0.offset < 4096 }), let last = loaded.last else {
      return nil
    }
    let bias = origin &- (first.address &- first.offset)
    let note = segments.lazy.filter { $0.type == SegmentType.note }.compactMap { note in
      let bytes = read(bias &+ note.address, note.byteCount)
      return unsafe ElfNotes.buildID(bytes.span.bytes, alignment: note.alignment)
    }.first
    let end = last.address &+ last.memorySize
    module = Module(
      path: String(start.path), buildID: note ?? [], loadBias: bias,
      extent: first.address..<max(first.address, end))
    // PF_X is 1.
    code = loaded.filter { $0.flags & 1 != 0 }.map {
      let address = bias &+ $0.address
      return address..<max(address, address &+ $0.memorySize)
    }
    file = start.file
    link = start.link
    dynamic = segments.first { $0.type == SegmentType.dynamic }.map {
      let address = bias &+ $0.address
      return address..<max(address, address &+ $0.memorySize)
    }
    table = segments.first { $0.type == SegmentType.unwindTable }.flatMap {
      unsafe try? Self.table(read(bias &+ $0.address, 16).span.bytes, at: bias &+ $0.address)
    }
  }

  private static func segments(_ bytes: RawSpan) throws(ByteReader.OutOfBounds) -> [Segment]? {
    var header = ByteReader(bytes)
    // "\u{7f}ELF", 64 bits, little-endian; e_phoff is at 32, e_phentsize at 54.
    let magic = try header.integer(UInt32.self)
    guard magic == 0x464c_457f, try header.integer(UInt16.self) == 0x0102 else { return nil }
    try header.skip(26)
    let offset = Int(clamping: try header.integer(UInt64.self))
    try header.skip(14)
    let size = Int(try header.integer(UInt16.self))
    let count = Int(try header.integer(UInt16.self))
    guard size == 56 else { return nil }
    var reader = ByteReader(bytes)
    try reader.skip(offset)
    var segments: [Segment] = []
    for _ in 0..<count {
      let type = try reader.integer(UInt32.self)
      let flags = try reader.integer(UInt32.self)
      let (offset, address) = (try reader.integer(UInt64.self), try reader.integer(UInt64.self))
      try reader.skip(8)
      segments.append(
        Segment(
          type: type, flags: flags, offset: offset, address: address,
          byteCount: try reader.integer(), memorySize: try reader.integer(),
          alignment: try reader.integer()))
    }
    return segments
  }

  /// Reads the header of `.eh_frame_hdr` (Linux Standard Base 5.0); nil for forms that linkers do
  /// not make.
  private static func table(
    _ bytes: RawSpan, at address: UInt64
  ) throws(ByteReader.OutOfBounds) -> Table? {
    var reader = ByteReader(bytes)
    // Version 1; 32 bits relative to the pointer, 32 bits, pairs of 32 bits relative to the header.
    guard try reader.integer(UInt32.self) == 0x3b03_1b01 else { return nil }
    try reader.skip(4)
    let count = try reader.integer(UInt32.self)
    return Table(base: address, address: address &+ 12, entryCount: UInt64(count))
  }
}
