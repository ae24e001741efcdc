internal import CWickElf
internal import Glibc
internal import WickRecording

/// The stubs through which a module calls others, by what they jump to.
///
/// A stub has no symbol. On x86-64 each jumps through a slot of the global offset table
/// (`jmp *slot(%rip)`, ff 25 and a distance), and a relocation says whose address is in the slot;
/// that holds for all linkers and kinds of stub. Other machines are not read.
struct PltStubs {
  /// One stub.
  struct Stub {
    var address: UInt64
    var byteCount: UInt64
    /// Index in the symbol table.
    var symbol: Int
  }

  private(set) var stubs: [Stub] = []
  /// Section index of the symbol table that `stubs` refer to; −1 where there are none.
  private(set) var symbolTable = -1

  init(_ sections: [ElfSection], bytes: RawSpan, machine: UInt16) {
    // EM_X86_64 is 62.
    guard machine == 62 else { return }
    let slots = slots(sections, bytes: bytes)
    guard !slots.isEmpty else { return }
    for section in sections
    where [".plt", ".plt.sec", ".plt.got"].contains(section.name) && section.hasContents {
      let contents = bytes.clamped(offset: section.offset, byteCount: section.byteCount).array
      // Old linkers say 0 or the pointer size.
      let unit = section.entryByteCount == 8 && section.name == ".plt.got" ? 8 : 16
      for start in stride(from: 0, to: contents.count - unit + 1, by: unit) {
        let stub = contents[start..<start + unit]
        let address = section.address &+ UInt64(start)
        guard let slot = Self.slot(stub, address: address), let symbol = slots[slot] else {
          continue
        }
        stubs.append(Stub(address: address, byteCount: UInt64(unit), symbol: symbol))
      }
    }
  }

  /// Symbols by the address of the slot that gets their address.
  private mutating func slots(_ sections: [ElfSection], bytes: RawSpan) -> [UInt64: Int] {
    var slots: [UInt64: Int] = [:]
    // SHT_RELA is 4.
    for section in sections where section.type == 4 && section.hasContents {
      guard symbolTable == -1 || symbolTable == section.link else { continue }
      for relocation in ElfFile.relocations(section, bytes: bytes) {
        // R_X86_64_GLOB_DAT is 6, R_X86_64_JUMP_SLOT 7.
        let type = relocation.r_info & 0xffff_ffff
        guard type == 6 || type == 7 else { continue }
        slots[relocation.r_offset] = Int(relocation.r_info >> 32)
        symbolTable = section.link
      }
    }
    return slots
  }

  /// The slot that a stub jumps through.
  private static func slot(_ stub: ArraySlice<UInt8>, address: UInt64) -> UInt64? {
    var index = stub.startIndex
    while index + 6 <= stub.endIndex {
      if stub[index] == 0xff, stub[index + 1] == 0x25 {
        var distance: UInt32 = 0
        for byte in 0..<4 { distance |= UInt32(stub[index + 2 + byte]) << UInt32(8 * byte) }
        let next = address &+ UInt64(index + 6 - stub.startIndex)
        return next &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance)))
      }
      index += 1
    }
    return nil
  }
}
