import Glibc
import WickRecording

/// What kind of program a file is, by its ELF header (System V gABI, chapter 4 and 5).
enum ProgramKind: Equatable {
  /// Loaded by this program interpreter (PT_INTERP).
  case dynamic(loader: String)
  case `static`
  case otherMachine
  case unknown

  private static let elfMagic: UInt32 = 0x464c_457f
  private static let interpreterSegment: UInt32 = 3

  /// The machine that this tool was built for: EM_X86_64 or EM_AARCH64.
  private static var ownMachine: UInt16 {
    #if arch(x86_64)
      62
    #else
      183
    #endif
  }

  /// Looks at a file.
  init(of path: String) {
    guard let file = try? MappedFile(path: path), let kind = try? Self.parse(file.bytes) else {
      self = .unknown
      return
    }
    self = kind
  }

  private static func parse(_ bytes: RawSpan) throws(ByteReader.OutOfBounds) -> ProgramKind {
    var reader = ByteReader(bytes)
    guard try reader.integer(UInt32.self) == elfMagic else { return .unknown }
    guard try reader.integer(UInt8.self) == 2, try reader.integer(UInt8.self) == 1 else {
      return .otherMachine
    }
    try reader.skip(12)
    guard try reader.integer(UInt16.self) == ownMachine else { return .otherMachine }
    try reader.skip(12)
    let tableOffset = try reader.integer(UInt64.self)
    try reader.skip(14)
    let entrySize = try reader.integer(UInt16.self)
    let count = try reader.integer(UInt16.self)
    for index in 0..<UInt64(count) {
      let offset = tableOffset &+ index &* UInt64(entrySize)
      guard offset < UInt64(bytes.byteCount) else { return .unknown }
      var entry = ByteReader(bytes)
      try entry.skip(Int(offset))
      if try entry.integer(UInt32.self) == interpreterSegment {
        try entry.skip(4)
        let start = try entry.integer(UInt64.self)
        try entry.skip(16)
        return .dynamic(
          loader: try path(in: bytes, at: start, byteCount: try entry.integer(UInt64.self)))
      }
    }
    return .static
  }

  private static func path(
    in bytes: RawSpan, at start: UInt64, byteCount: UInt64
  ) throws(ByteReader.OutOfBounds) -> String {
    var reader = ByteReader(bytes)
    try reader.skip(Int(clamping: start))
    var path: [UInt8] = []
    while path.count < min(Int(clamping: byteCount), Int(PATH_MAX)) {
      let byte = try reader.integer(UInt8.self)
      if byte == 0 { break }
      path.append(byte)
    }
    return String(decoding: path, as: UTF8.self)
  }
}
