/// A symbol that may name code.
struct ElfSymbol {
  /// `st_value`: ELF virtual address.
  var start: UInt64
  /// `st_size`: 0 for most assembler code.
  var byteCount: UInt64
  /// Place of the name in the image's `names`, which are NUL-terminated.
  var name: Int
  var binding: Binding
  /// `STT_FUNC` or `STT_GNU_IFUNC`, and not an untyped label.
  var isFunction: Bool

  /// In the order in which aliases are preferred.
  enum Binding: UInt8 {
    case global, weak, local
  }

  /// Creates a symbol from its table entry; nil if it cannot name code.
  ///
  /// - Parameters:
  ///   - info: `st_info`.
  ///   - section: `st_shndx`.
  ///   - value: `st_value`.
  ///   - byteCount: `st_size`.
  ///   - name: Place of the name.
  init?(info: UInt8, section: UInt16, value: UInt64, byteCount: UInt64, name: Int) {
    // SHN_UNDEF is elsewhere; SHN_ABS and SHN_COMMON are no code. SHN_XINDEX is some section.
    guard section != 0, section < 0xff00 || section == 0xffff else { return nil }
    switch info & 0xf {
    case 2, 10: isFunction = true
    case 0: isFunction = false
    default: return nil
    }
    switch info >> 4 {
    case 0: binding = .local
    case 2: binding = .weak
    default: binding = .global
    }
    start = value
    self.byteCount = byteCount
    self.name = name
  }

  /// Creates a global function.
  init(start: UInt64, byteCount: UInt64, name: Int) {
    self.start = start
    self.byteCount = byteCount
    self.name = name
    binding = .global
    isFunction = true
  }
}
