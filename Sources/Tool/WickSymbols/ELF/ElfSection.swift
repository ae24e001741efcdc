/// A section header, with what later steps ask of it.
struct ElfSection {
  /// Index in the section header table.
  var index: Int
  var name: String
  /// `sh_type`.
  var type: UInt32
  /// `sh_flags`.
  var flags: UInt64
  /// ELF virtual address, 0 for sections that are not loaded.
  var address: UInt64
  /// Place in the file; contents only if `hasContents`.
  var offset: UInt64
  var byteCount: UInt64
  /// `sh_link`: for a symbol table the index of its strings.
  var link: Int
  var entryByteCount: UInt64
  var alignment: UInt64

  /// Whether the file holds the section's bytes as they are.
  ///
  /// `SHT_NOBITS` (8) has a size and no bytes; separate debug files have those for all code.
  /// Compressed contents are not what they stand for.
  var hasContents: Bool { type != 8 && !isCompressed }
  /// `SHF_COMPRESSED`.
  var isCompressed: Bool { flags & 0x800 != 0 }
  /// `SHF_ALLOC` and `SHF_EXECINSTR`.
  var isCode: Bool { flags & 0x6 == 0x6 }

  /// Addresses of the section; empty where they would wrap.
  var addresses: Range<UInt64> {
    let (end, overflow) = address.addingReportingOverflow(byteCount)
    return overflow ? address..<address : address..<end
  }
}

extension RawSpan {
  /// The bytes at a place that a file names, or as many of them as there are.
  @_lifetime(copy self)
  func clamped(offset: UInt64, byteCount: UInt64) -> RawSpan {
    let start = Int(min(offset, UInt64(self.byteCount)))
    let count = Int(min(byteCount, UInt64(self.byteCount - start)))
    return extracting(start..<start + count)
  }

  /// A copy of the bytes.
  var array: [UInt8] {
    unsafe withUnsafeBytes { unsafe Array($0) }
  }
}
