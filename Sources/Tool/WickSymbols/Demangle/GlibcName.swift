/// Names of glibc's functions of which there are several, one for each kind of processor.
///
/// The function that is called (`memcpy`, an indirect function) chooses one at the program's start,
/// as `__memcpy_avx512_unaligned_erms`. Who reads a profile knows the first.
enum GlibcName {
  /// The public name of a variant; nil for all other names.
  static func ofVariant(_ symbol: String) -> String? {
    guard symbol.utf8.starts(with: "__".utf8) else { return nil }
    let words = symbol.utf8.dropFirst(2).split(
      separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
    guard words.count > 1, words.dropFirst().allSatisfy({ variants.contains(String($0) ?? "") }),
      let name = String(words[0]), isVaried(name)
    else { return nil }
    return name
  }

  private static func isVaried(_ name: String) -> Bool {
    ["mem", "str", "stp", "wcs", "wmem", "rawmem"].contains { name.hasPrefix($0) }
      || calculations.contains(name)
      || name.utf8.last == UInt8(ascii: "f") && calculations.contains(String(name.dropLast()))
  }

  /// What variants are called for in glibc 2.17 to 2.42.
  private static let variants: Set<String> = [
    "aligned", "avx", "avx2", "avx512", "back", "bsf", "c", "erms", "evex", "evex256", "evex512",
    "fma", "fma4", "generic", "movbe", "no", "nosse4", "pminub", "rtm", "sse2", "sse4", "sse41",
    "sse42", "ssse3", "unaligned", "v2", "vzeroupper", "1", "2", "asm", "ia32", "falkor",
    "thunderx", "thunderx2", "simd", "sve", "mte", "zva64", "mops", "a64fx", "emag", "kunpeng",
    "oryon1",
  ]

  private static let calculations: Set<String> = [
    "atan", "atan2", "ceil", "cos", "exp", "exp1", "exp2", "expm1", "floor", "fma", "log", "log1p",
    "log2", "nearbyint", "pow", "rint", "roundeven", "sin", "sincos", "sinh", "tan", "tanh",
    "trunc",
  ]
}
