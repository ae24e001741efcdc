internal import Glibc
internal import WickRecording

extension Injection {
  /// Refuses programs that the agent cannot be in.
  static func checkProgram(_ process: TargetProcess) throws(TargetError) {
    let what = "process \(process.pid) (\(process.name))"
    let path = "/proc/\(process.pid)/exe"
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw TargetError(process.reasonForRefusal(errno)) }
    defer { close(file) }
    var head = [UInt8](repeating: 0, count: 20)
    guard unsafe read(file, &head, head.count) == head.count,
      head.starts(with: [0x7f, 0x45, 0x4c, 0x46])
    else { throw TargetError("\(what) is no ELF program") }
    guard head[4] == 2 else {
      throw TargetError("\(what) is a 32-bit program; wick profiles 64-bit programs only")
    }
    // EM_X86_64 is 62.
    guard head[18] == 62, head[19] == 0 else {
      throw TargetError(
        "\(what) is a program for another kind of processor, which an emulator runs; profile it "
          + "where it is at home")
    }
    let features = ProcFile.fields("/proc/\(process.pid)/status")["x86_Thread_features"] ?? ""
    guard !features.contains("shstk") else {
      throw TargetError(
        "\(what) has a shadow stack, which forbids to enter it; start it with "
          + "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off, or try --perf")
    }
  }

  /// The part of a library that the loader maps: what comes behind is for debuggers.
  static func loadedPart(of bytes: RawSpan) -> [UInt8] {
    let end =
      programHeaders(of: bytes).filter { $0.type == 1 }
      .map { $0.offset &+ $0.byteCount }.max() ?? 0
    let count = Int(min(end, UInt64(bytes.byteCount)))
    return unsafe bytes.extracting(first: count).withUnsafeBytes { unsafe Array($0) }
  }

  static func checkLibrary(_ library: [UInt8], path: String) throws(TargetError) {
    guard !library.isEmpty else { throw TargetError("\(path) is no library") }
  }

  /// Where a library has a function, relative to its load bias.
  static func offset(of name: String, in library: [UInt8]) throws(TargetError) -> UInt64 {
    let found = unsafe library.span.bytes
    let headers = programHeaders(of: found)
    guard let dynamic = headers.first(where: { $0.type == 2 }),
      let value = try? search(name, in: found, dynamic: dynamic)
    else { throw TargetError("libwick.so has no function \(name); build wick anew") }
    return value
  }

  private struct ProgramHeader {
    var type: UInt32
    var offset: UInt64
    var byteCount: UInt64
  }

  private static func programHeaders(of bytes: RawSpan) -> [ProgramHeader] {
    func read() throws(ByteReader.OutOfBounds) -> [ProgramHeader] {
      var header = ByteReader(bytes)
      try header.skip(32)
      let start = try header.integer(UInt64.self)
      try header.skip(16)
      let count = try header.integer(UInt16.self)
      var result: [ProgramHeader] = []
      for index in 0..<Int(count) {
        var entry = ByteReader(bytes)
        try entry.skip(Int(clamping: start &+ 56 &* UInt64(index)))
        let type = try entry.integer(UInt32.self)
        try entry.skip(4)
        let offset = try entry.integer(UInt64.self)
        try entry.skip(16)
        result.append(
          ProgramHeader(
            type: type, offset: offset, byteCount: try entry.integer(UInt64.self)))
      }
      return result
    }
    return (try? read()) ?? []
  }

  /// Looks through the dynamic symbols, whose table lies right before their names'.
  private static func search(
    _ name: String, in bytes: RawSpan, dynamic: ProgramHeader
  ) throws(ByteReader.OutOfBounds) -> UInt64? {
    var reader = ByteReader(bytes)
    try reader.skip(Int(clamping: dynamic.offset))
    var (symbols, strings): (UInt64, UInt64) = (0, 0)
    while true {
      let tag = try reader.integer(UInt64.self)
      let value = try reader.integer(UInt64.self)
      if tag == 0 { break }
      if tag == 5 { strings = value }
      if tag == 6 { symbols = value }
    }
    // In our own library, whose first segment begins at 0, addresses there are offsets.
    let expected = Array(name.utf8) + [0]
    var place = symbols
    while place < strings {
      var entry = ByteReader(bytes)
      try entry.skip(Int(clamping: place))
      let offset = try entry.integer(UInt32.self)
      try entry.skip(4)
      let value = try entry.integer(UInt64.self)
      var text = ByteReader(bytes)
      try text.skip(Int(clamping: strings &+ UInt64(offset)))
      if value != 0 {
        var isSame = true
        for byte in expected where isSame { isSame = try text.integer(UInt8.self) == byte }
        if isSame { return value }
      }
      place &+= 24
    }
    return nil
  }
}
