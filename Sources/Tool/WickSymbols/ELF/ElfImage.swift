internal import CWickElf
internal import Glibc
internal import WickRecording

/// What symbolication needs of one ELF file, copied out of it.
///
/// All addresses are ELF virtual addresses (`p_vaddr` space), as the recording's are.
struct ElfImage {
  /// Why a file is of no use.
  enum Failure: Error, Equatable {
    /// Not a 64-bit little-endian executable or shared object, or too damaged to tell.
    case unreadable
    /// Another build than the one that was recorded.
    case buildIDDiffers(found: [UInt8])
  }

  /// Another file that has the symbols of this one (`.gnu_debuglink`).
  struct DebugLink: Equatable {
    /// File name without a folder.
    var name: String
    /// Of the whole file, as in zlib.
    var crc32: UInt32
  }

  /// GNU build-id; empty where the file has none.
  private(set) var buildID: [UInt8] = []
  /// Everything that may name code, unsorted, from `.symtab`, `.dynsym` and PLT stubs.
  private(set) var symbols: [ElfSymbol] = []
  /// Names of `symbols`.
  private(set) var names = SymbolNames()
  /// Executable sections, or segments.
  private(set) var code = AddressRanges([])
  /// Functions by their unwind information.
  private(set) var functions = AddressRanges([])
  /// Whether the file has the full table, with internal functions.
  private(set) var hasSymbolTable = false
  private(set) var debugLink: DebugLink?

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - expected: The build-id that the file must have; empty if it must have none, nil if it is
  ///     known already to be the right file.
  /// - Throws: `Failure`; before anything but headers and notes is read.
  init(_ bytes: RawSpan, buildID expected: [UInt8]?) throws(Failure) {
    let file = try ElfFile.open(bytes)
    buildID = file.buildID(bytes)
    guard expected == nil || buildID == expected else { throw .buildIDDiffers(found: buildID) }
    code = file.code
    let stubs = PltStubs(file.sections, bytes: bytes, machine: file.machine)
    for section in file.sections where section.hasContents {
      // SHT_SYMTAB is 2, SHT_DYNSYM 11.
      guard section.type == 2 || section.type == 11,
        let strings = file.sections.first(where: { $0.index == section.link }),
        strings.hasContents
      else { continue }
      let added = addSymbols(section, strings: strings, bytes: bytes, stubs: stubs)
      if section.type == 2, added { hasSymbolTable = true }
    }
    functions = AddressRanges(Self.functions(file, bytes: bytes))
    debugLink = Self.debugLink(file, bytes: bytes)
  }

  /// Adds the symbols of a separate debug file of the same build.
  mutating func merge(_ other: ElfImage) {
    let offset = names.append(other.names)
    for var symbol in other.symbols {
      symbol.name += offset
      symbols.append(symbol)
    }
    hasSymbolTable = hasSymbolTable || other.hasSymbolTable
  }

  private mutating func addSymbols(
    _ section: ElfSection, strings: ElfSection, bytes: RawSpan, stubs: PltStubs
  ) -> Bool {
    let table = bytes.clamped(offset: strings.offset, byteCount: strings.byteCount)
    let base = names.append(table: table.array)
    let entries = ElfFile.symbols(section, bytes: bytes)
    for entry in entries where UInt64(entry.st_name) < UInt64(table.byteCount) {
      let symbol = ElfSymbol(
        info: entry.st_info, section: entry.st_shndx, value: entry.st_value,
        byteCount: entry.st_size, name: base + Int(entry.st_name))
      if let symbol { symbols.append(symbol) }
    }
    if stubs.symbolTable == section.index {
      for stub in stubs.stubs where entries.indices.contains(stub.symbol) {
        let place = UInt64(entries[stub.symbol].st_name)
        guard place < UInt64(table.byteCount) else { continue }
        let name = names[base + Int(place)]
        guard !name.isEmpty else { continue }
        symbols.append(
          ElfSymbol(
            start: stub.address, byteCount: stub.byteCount,
            name: names.append(name: name + "@plt")))
      }
    }
    return !entries.isEmpty
  }

  private static func functions(_ file: ElfFile, bytes: RawSpan) -> [Range<UInt64>] {
    if let section = file.sections.first(where: { $0.name == ".eh_frame" && $0.hasContents }) {
      let frames = bytes.clamped(offset: section.offset, byteCount: section.byteCount)
      return FrameDescriptions(frames, address: section.address).ranges
    }
    // Without section headers the program header names the search table, and that the section.
    // PT_GNU_EH_FRAME is 0x6474e550.
    guard let header = file.segments.first(where: { $0.type == 0x6474_e550 }) else { return [] }
    var reader = ByteReader(bytes.clamped(offset: header.offset, byteCount: header.byteCount))
    guard (try? reader.integer(UInt8.self)) == 1, let encoding = try? reader.integer(UInt8.self),
      (try? reader.skip(2)) != nil,
      let start = try? FrameDescriptions.pointer(
        &reader, encoding: encoding, base: header.address),
      let place = file.place(of: start)
    else { return [] }
    let frames = bytes.clamped(offset: place.offset, byteCount: place.byteCount)
    return FrameDescriptions(frames, address: start).ranges
  }

  private static func debugLink(_ file: ElfFile, bytes: RawSpan) -> DebugLink? {
    guard
      let section = file.sections.first(where: { $0.name == ".gnu_debuglink" && $0.hasContents })
    else { return nil }
    let contents = bytes.clamped(offset: section.offset, byteCount: section.byteCount)
    let name = contents.array.prefix { $0 != 0 }
    var reader = ByteReader(contents)
    // The checksum stands at the next multiple of four behind the name's NUL.
    guard !name.isEmpty, !name.contains(UInt8(ascii: "/")),
      (try? reader.skip((name.count + 4) & ~3)) != nil,
      let crc32 = try? reader.integer(UInt32.self)
    else { return nil }
    return DebugLink(name: String(decoding: name, as: UTF8.self), crc32: crc32)
  }
}
