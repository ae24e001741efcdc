internal import CWickElf
internal import Glibc

/// Turns a linker symbol into the function's name as people know it.
///
/// - Swift: the short form (`leaf(_:)`), without "specialized", so that two builds compare; the
///   parts of an async function all have the function's name.
/// - C++: qualified name with template arguments, without result and parameters
///   (`std::vector<int, std::allocator<int> >::push_back`), as pprof users expect it. Overloads
///   share a name.
/// - Rust: the path without hashes.
/// - Variants of glibc's functions: the public name (`memcpy`).
/// - Anything else: as it is, without what compilers append to clones (`.cold`, `.isra.0`).
enum Demangler {
  /// Longer names are shown as they are: demanglers take time that grows faster than the name.
  static let lengthLimit = 8192

  static func name(of symbol: String) -> String {
    guard mayDiffer(symbol) else { return symbol }
    let stub = "@plt"
    if symbol.hasSuffix(stub), symbol != stub {
      return name(of: String(symbol.dropLast(stub.utf8.count))) + stub
    }
    let symbol = withoutCloneSuffixes(withoutVersion(symbol))
    guard symbol.utf8.count <= lengthLimit else { return symbol }
    if let swift = swiftName(of: symbol) { return withoutSpecialized(swift) }
    if let name = GlibcName.ofVariant(symbol) { return name }
    if let rust = RustSymbol.name(of: symbol) { return rust }
    guard symbol.hasPrefix("_Z") else {
      // The entry of an async main, whose parts have the suffixes of Swift's mangling.
      return symbol.hasPrefix("async_MainT") ? "async_Main" : symbol
    }
    return RustName.legacy(symbol) ?? cppName(of: symbol) ?? symbol
  }

  /// Whether a symbol may be another for people than in the file; most of C's are not.
  private static func mayDiffer(_ symbol: String) -> Bool {
    symbol.utf8.first == UInt8(ascii: "_") || symbol.utf8.first == UInt8(ascii: "$")
      || symbol.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@") }
      || symbol.hasPrefix("async_MainT")
  }

  /// The short form of a Swift symbol; nil for others.
  static func swiftName(of symbol: String) -> String? {
    guard ["$s", "$S", "_$s", "_$S", "_T0"].contains(where: { symbol.hasPrefix($0) }) else {
      return nil
    }
    let full = unsafe owned(swift_demangle(symbol, symbol.utf8.count, nil, nil, 0))
    return full.map(SwiftName.simplified)
  }

  /// The name of a C++ class by the symbol of its `type_info` name, `_ZTS…`; nil for others.
  static func cppTypeName(of symbol: String) -> String? {
    guard symbol.hasPrefix("_ZTS"), symbol.utf8.count <= lengthLimit else { return nil }
    // Behind the prefix stands a type, which demanglers take by itself.
    return unsafe owned(__cxa_demangle(String(symbol.dropFirst(4)), nil, nil, nil))
  }

  private static func cppName(of symbol: String) -> String? {
    let full = unsafe owned(__cxa_demangle(symbol, nil, nil, nil))
    return full.map(CppName.withoutSignature)
  }

  /// Copies a string from malloc and frees it.
  private static func owned(_ text: UnsafeMutablePointer<CChar>?) -> String? {
    guard let text = unsafe text else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// Drops `@VERSION` and `@@VERSION`.
  static func withoutVersion(_ symbol: String) -> String {
    guard let at = symbol.utf8.firstIndex(of: UInt8(ascii: "@")), at > symbol.startIndex
    else { return symbol }
    return String(symbol[..<at])
  }

  /// Drops `.cold`, `.part.3`, `.isra.0`, `.constprop.0`, `.llvm.123`, `.resume.0` and their like
  /// from the end, in any number and order.
  static func withoutCloneSuffixes(_ symbol: String) -> String {
    guard symbol.utf8.contains(UInt8(ascii: ".")) else { return symbol }
    var name = symbol.utf8[...]
    while let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex {
      let last = name[name.index(after: dot)...]
      if isCloneWord(last) {
        name = name[..<dot]
        continue
      }
      // A number belongs to the word before it.
      guard !last.isEmpty, last.allSatisfy({ (0x30...0x39).contains($0) }),
        let before = name[..<dot].lastIndex(of: UInt8(ascii: ".")), before > name.startIndex,
        isCloneWord(name[name.index(after: before)..<dot])
      else { break }
      name = name[..<before]
    }
    return String(decoding: name, as: UTF8.self)
  }

  private static let cloneWords = [
    "cold", "part", "isra", "constprop", "llvm", "resume", "lto_priv", "localalias", "destroy",
    "cleanup",
  ].map { Array($0.utf8) }

  private static func isCloneWord(_ word: Substring.UTF8View) -> Bool {
    cloneWords.contains { $0.count == word.count && word.starts(with: $0) }
  }

  /// Drops "specialized " where it describes an entity.
  private static func withoutSpecialized(_ name: String) -> String {
    let word = Array("specialized ".utf8)
    let text = Array(name.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      let atStart = index == 0 || text[index - 1] == UInt8(ascii: " ")
      if atStart, text[index] == word[0], text[index...].starts(with: word),
        !result.suffix(10).elementsEqual("canonical ".utf8)
      {
        index += word.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
