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
  /// Decompressed sections by the name that they have when they are not compressed.
  private let inflated: [String: [UInt8]]
  /// Names of sections that could not be decompressed.
  let damagedSections: [String]

  /// Maps a file.
  ///
  /// - Parameter path: Of a regular file.
  /// - Throws: `ElfImage.Failure.unreadable`.
  init(path: String) throws(ElfImage.Failure) {
    guard let file = try? MappedFile(path: path) else { throw .unreadable }
    self.path = path
    elf = try Self.headers(file)
    unsafe contents = Self.contents(file)
    (inflated, damagedSections) = Self.inflate(elf, file)
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

  private static func inflate(
    _ elf: ElfFile, _ file: borrowing MappedFile
  ) -> (contents: [String: [UInt8]], damaged: [String]) {
    var inflated: [String: [UInt8]] = [:]
    var damaged: [String] = []
    for section in elf.sections where section.type != 8 {
      let isOld = section.name.hasPrefix(".zdebug_")
      guard isOld || section.isCompressed else { continue }
      let name = isOld ? "." + section.name.dropFirst(2) : section.name
      guard needed.contains(name), inflated[name] == nil else { continue }
      if let bytes = CompressedSection.contents(of: section, in: file.bytes) {
        inflated[name] = bytes
      } else {
        damaged.append(section.name)
      }
    }
    return (inflated, damaged)
  }

  /// Sections that are read.
  private static let needed: Set<String> = {
    let names = [
      "info", "abbrev", "str", "line_str", "str_offsets", "addr", "ranges", "rnglists", "line",
    ]
    return Set(
      names.map { ".debug_\($0)" } + names.map { ".debug_\($0).dwo" }
        + [".debug_cu_index", ".debug_sup", ".gnu_debugdata"])
  }()

  /// The whole file.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(contents.bytes, borrowing: self) }
  }

  /// Whether there is any debug information.
  var hasDebugInformation: Bool {
    section(".debug_info").byteCount > 0 || section(".debug_info.dwo").byteCount > 0
  }

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
