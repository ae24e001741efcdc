internal import CWickElf
internal import Glibc

/// The headers of an ELF file, read through libelf.
///
/// Offsets and sizes are what the file says: they may point anywhere.
struct ElfFile {
  /// A program header.
  struct Segment {
    /// `p_type`.
    var type: UInt32
    /// `PF_X`.
    var isExecutable: Bool
    var offset: UInt64
    var address: UInt64
    /// `p_filesz`.
    var byteCount: UInt64
    /// `p_memsz`.
    var memoryByteCount: UInt64
    var alignment: UInt64
  }

  /// `e_machine`.
  private(set) var machine: UInt16 = 0
  private(set) var sections: [ElfSection] = []
  private(set) var segments: [Segment] = []

  /// Reads headers.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - isProgram: Whether it must be a program or shared object; split DWARF is in neither.
  /// - Returns: The headers.
  /// - Throws: `ElfImage.Failure.unreadable`.
  static func open(
    _ bytes: RawSpan, isProgram: Bool = true
  ) throws(ElfImage.Failure) -> ElfFile {
    let file = unsafe Self.withElf(bytes) { elf in
      var file = ElfFile()
      return unsafe file.read(elf, byteCount: bytes.byteCount, isProgram: isProgram) ? file : nil
    }
    guard let file = file ?? nil else { throw .unreadable }
    return file
  }

  /// The build-id; empty where there is none.
  func buildID(_ bytes: RawSpan) -> [UInt8] {
    // Sections first: in separate debug files the segments point to what is not there.
    // SHT_NOTE is 7, PT_NOTE 4.
    for section in sections where section.type == 7 && section.hasContents {
      let notes = bytes.clamped(offset: section.offset, byteCount: section.byteCount)
      if let found = ElfNotes.buildID(notes, alignment: section.alignment) { return found }
    }
    for segment in segments where segment.type == 4 {
      let notes = bytes.clamped(offset: segment.offset, byteCount: segment.byteCount)
      if let found = ElfNotes.buildID(notes, alignment: segment.alignment) { return found }
    }
    return []
  }

  /// Where the code is: the executable sections, or segments in a file without sections.
  var code: AddressRanges {
    let sections = AddressRanges(sections.filter(\.isCode).map(\.addresses))
    guard sections.count == 0 else { return sections }
    // PT_LOAD is 1.
    return AddressRanges(
      segments.filter { $0.type == 1 && $0.isExecutable }.map {
        $0.address..<max($0.address, $0.address &+ $0.byteCount)
      })
  }

  /// Where in the file an address is loaded from, and how many bytes of its segment follow.
  func place(of address: UInt64) -> (offset: UInt64, byteCount: UInt64)? {
    // PT_LOAD is 1.
    for segment in segments where segment.type == 1 && address >= segment.address {
      let distance = address - segment.address
      let (offset, overflow) = segment.offset.addingReportingOverflow(distance)
      if distance < segment.byteCount, !overflow { return (offset, segment.byteCount - distance) }
    }
    return nil
  }

  /// The entries of a symbol table, by index.
  static func symbols(_ section: ElfSection, bytes: RawSpan) -> [GElf_Sym] {
    unsafe entries(section, bytes: bytes, type: ELF_T_SYM) { data, index in
      var symbol = GElf_Sym()
      return unsafe gelf_getsym(data, index, &symbol) != nil ? symbol : nil
    }
  }

  /// The entries of a relocation table with addends, by index.
  static func relocations(_ section: ElfSection, bytes: RawSpan) -> [GElf_Rela] {
    unsafe entries(section, bytes: bytes, type: ELF_T_RELA) { data, index in
      var relocation = GElf_Rela()
      return unsafe gelf_getrela(data, index, &relocation) != nil ? relocation : nil
    }
  }

  private static func entries<Entry>(
    _ section: ElfSection, bytes: RawSpan, type: Elf_Type,
    read: (UnsafeMutablePointer<Elf_Data>, Int32) -> Entry?
  ) -> [Entry] {
    let entries = unsafe withElf(bytes) { elf in
      var entries: [Entry] = []
      let entrySize = unsafe gelf_fsize(elf, type, 1, 1)
      guard let handle = unsafe elf_getscn(elf, section.index),
        let data = unsafe elf_getdata(handle, nil), entrySize > 0,
        unsafe data.pointee.d_type == type, unsafe data.pointee.d_buf != nil
      else { return entries }
      let count = Int32(clamping: unsafe data.pointee.d_size / entrySize)
      entries.reserveCapacity(Int(count))
      for index in 0..<count {
        guard let entry = unsafe read(data, index) else { break }
        entries.append(entry)
      }
      return entries
    }
    return entries ?? []
  }

  private static func withElf<Result>(
    _ bytes: RawSpan, _ body: (OpaquePointer) -> Result
  ) -> Result? {
    unsafe bytes.withUnsafeBytes { buffer -> Result? in
      // EV_CURRENT is 1. libelf only reads from an image, though it takes a mutable pointer.
      guard elf_version(1) != 0, let base = buffer.baseAddress,
        let elf = unsafe elf_memory(
          UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: CChar.self),
          buffer.count)
      else { return nil }
      defer { unsafe elf_end(elf) }
      return unsafe body(elf)
    }
  }

  private mutating func read(
    _ elf: OpaquePointer, byteCount: Int, isProgram: Bool
  ) -> Bool {
    var header = GElf_Ehdr()
    guard unsafe elf_kind(elf) == ELF_K_ELF, unsafe gelf_getehdr(elf, &header) != nil,
      // ELFCLASS64, ELFDATA2LSB; ET_EXEC and ET_DYN.
      header.e_ident.4 == 2, header.e_ident.5 == 1,
      !isProgram || header.e_type == 2 || header.e_type == 3
    else { return false }
    machine = header.e_machine
    var count = 0
    if unsafe elf_getphdrnum(elf, &count) == 0 {
      for index in 0..<Int32(clamping: min(count, byteCount)) {
        var segment = GElf_Phdr()
        guard unsafe gelf_getphdr(elf, index, &segment) != nil else { break }
        segments.append(
          Segment(
            type: segment.p_type, isExecutable: segment.p_flags & 1 != 0,
            offset: segment.p_offset, address: segment.p_vaddr, byteCount: segment.p_filesz,
            memoryByteCount: segment.p_memsz, alignment: segment.p_align))
      }
    }
    unsafe readSections(elf)
    return true
  }

  private mutating func readSections(_ elf: OpaquePointer) {
    var names = 0
    guard unsafe elf_getshdrstrndx(elf, &names) == 0 else { return }
    var handle: OpaquePointer?
    while let section = unsafe elf_nextscn(elf, handle) {
      unsafe handle = section
      var header = GElf_Shdr()
      guard unsafe gelf_getshdr(section, &header) != nil else { continue }
      let name = unsafe elf_strptr(elf, names, Int(header.sh_name)).map {
        unsafe String(cString: $0)
      }
      sections.append(
        ElfSection(
          index: unsafe elf_ndxscn(section), name: name ?? "", type: header.sh_type,
          flags: header.sh_flags, address: header.sh_addr, offset: header.sh_offset,
          byteCount: header.sh_size, link: Int(header.sh_link),
          entryByteCount: header.sh_entsize, alignment: header.sh_addralign))
    }
  }
}
