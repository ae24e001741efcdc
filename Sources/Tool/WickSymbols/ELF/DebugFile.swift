internal import Glibc
internal import WickRecording

/// A mapped ELF file whose DWARF sections can be read as if they were never compressed.
@safe
final class DebugFile {
  /// Where the file was found.
  let path: String
  private let file: MappedFile
  /// All of `file`.
  private let contents: UnsafeRawBufferPointer
  let elf: ElfFile
  /// Decompressed sections by their name when not compressed; nil for those that cannot be.
  ///
  /// What is here stays, as others hold its bytes.
  private var inflated: [String: [UInt8]?] = [:]
  /// Names of sections that could not be decompressed when they were asked for.
  private(set) var damagedSections: [String] = []

  /// Maps a file.
  ///
  /// - Parameter path: Of a regular file.
  /// - Throws: `ElfImage.Failure.unreadable`.
  init(path: String) throws(ElfImage.Failure) {
    guard let file = try? MappedFile(path: path) else { throw .unreadable }
    self.path = path
    elf = try Self.headers(file)
    unsafe contents = Self.contents(file)
    self.file = file
  }

  /// Maps a file; nil if it is not there or not a regular file that can be read.
  static func open(_ path: String) -> DebugFile? {
    isRegular(path) ? try? DebugFile(path: path) : nil
  }

  /// Whether a path may be opened: doing so with a pipe or a device could block or do harm.
  static func isRegular(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
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

  /// Whether there is debug information, though perhaps damaged.
  var hasDebugInformation: Bool {
    elf.sections.contains { section in
      section.type != 8 && section.byteCount > 0
        && (section.name == ".debug_info" || section.name == ".zdebug_info")
    }
  }

  /// The contents of a section; empty where there is none.
  ///
  /// - Parameter name: Its name when it is not compressed.
  /// - Returns: Its contents, decompressed.
  @_lifetime(borrow self)
  func section(_ name: String) -> RawSpan {
    if let known = inflated[name] {
      // Nothing is ever removed, so the array lives as long as this.
      guard let known else { return RawSpan() }
      return unsafe _overrideLifetime(known.span.bytes, borrowing: self)
    }
    let oldName = name.hasPrefix(".debug_") ? ".z" + name.dropFirst() : name
    for section in elf.sections where section.type != 8 {
      if section.name == name, section.hasContents {
        return bytes.clamped(offset: section.offset, byteCount: section.byteCount)
      }
      if section.name == name || section.name == oldName {
        let contents = CompressedSection.contents(of: section, in: bytes)
        if contents == nil { damagedSections.append(section.name) }
        inflated[name] = .some(contents)
        return self.section(name)
      }
    }
    return RawSpan()
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
