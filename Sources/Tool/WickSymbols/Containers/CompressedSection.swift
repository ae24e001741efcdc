/// A section whose contents are compressed, in one of the two ways that are in use.
enum CompressedSection {
  /// Decompresses a section.
  ///
  /// - Parameters:
  ///   - section: Of an ELF file.
  ///   - bytes: The whole file.
  /// - Returns: Its contents; nil if the section is damaged or of an unknown kind.
  static func contents(of section: ElfSection, in bytes: RawSpan) -> [UInt8]? {
    let stored = bytes.clamped(offset: section.offset, byteCount: section.byteCount)
    var cursor = DwarfCursor(stored)
    if section.isCompressed {
      // Elf64_Chdr: ch_type, ch_reserved, ch_size, ch_addralign.
      let type = cursor.word()
      cursor.skip(4)
      let byteCount = cursor.double()
      cursor.skip(8)
      guard !cursor.isDamaged else { return nil }
      let data = stored.extracting(cursor.offset..<stored.byteCount)
      return switch type {
      case 1: Decompression.zlib(data, byteCount: byteCount)
      case 2: Decompression.zstandard(data, byteCount: byteCount)
      default: nil
      }
    }
    // GNU's older way (.zdebug_…): "ZLIB" and the size, big-endian.
    let isZLIB = cursor.word() == 0x4249_4c5a
    let byteCount = cursor.double().byteSwapped
    guard !cursor.isDamaged, isZLIB else { return nil }
    return Decompression.zlib(
      stored.extracting(cursor.offset..<stored.byteCount), byteCount: byteCount)
  }
}
