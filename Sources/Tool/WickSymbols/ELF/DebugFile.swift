internal import WickRecording

/// A mapped ELF file whose DWARF sections can be read as if they were never compressed.
@safe
final class DebugFile {
  private let file: MappedFile
  /// All of `file`.
  private let contents: UnsafeRawBufferPointer
  let elf: ElfFile
  /// Decompressed sections by name.
  private let inflated: [String: [UInt8]] = [:]

  /// Maps a file.
  ///
  /// - Parameter path: Of a regular file.
  /// - Throws: `ElfImage.Failure.unreadable`.
  init(path: String) throws(ElfImage.Failure) {
    guard let file = try? MappedFile(path: path) else { throw .unreadable }
    elf = try Self.headers(file)
    unsafe contents = Self.contents(file)
    self.file = file
  }

  private static func headers(_ file: borrowing MappedFile) throws(ElfImage.Failure) -> ElfFile {
    try ElfFile.open(file.bytes, isProgram: false)
  }

  /// The mapping, which stays as long as `file`.
  private static func contents(_ file: borrowing MappedFile) -> UnsafeRawBufferPointer {
    unsafe file.bytes.withUnsafeBytes { unsafe $0 }
  }

  /// The whole file.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(contents.bytes, borrowing: self) }
  }

  /// Whether there is any debug information.
  var hasDebugInformation: Bool {
    elf.sections.contains { Self.infoNames.contains($0.name) && $0.type != 8 }
  }

  private static let infoNames = [
    ".debug_info", ".zdebug_info", ".debug_info.dwo", ".zdebug_info.dwo",
  ]

  /// The contents of a section; empty where there is none.
  @_lifetime(borrow self)
  func section(_ name: String) -> RawSpan {
    if let bytes = inflated[name] {
      return unsafe _overrideLifetime(bytes.span.bytes, borrowing: self)
    }
    guard let section = elf.sections.first(where: { $0.name == name && $0.hasContents }) else {
      return RawSpan()
    }
    return bytes.clamped(offset: section.offset, byteCount: section.byteCount)
  }

  /// The DWARF sections of a file with code, or of what several share.
  var dwarf: DwarfSections {
    @_lifetime(borrow self)
    get {
      DwarfSections(
        info: section(".debug_info"), abbreviations: section(".debug_abbrev"),
        strings: section(".debug_str"), lineStrings: section(".debug_line_str"),
        stringOffsets: section(".debug_str_offsets"), addresses: section(".debug_addr"),
        ranges: section(".debug_ranges"), rangeLists: section(".debug_rnglists"),
        lines: section(".debug_line"))
    }
  }
}
