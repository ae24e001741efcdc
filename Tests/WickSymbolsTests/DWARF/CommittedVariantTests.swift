import Foundation
import Testing

@testable import WickSymbols

/// Small libraries that were made once (Tests/Fixtures/DebugVariants/make.sh): the same code with
/// its debug information in every form.
///
/// What each instruction is, all its inlined calls, is in `gcc.chains` and `clang.chains`: read from
/// the disassembly of the plain library, and the same as llvm-symbolizer of LLVM 21 says of that.
/// Of the other tools, of LLVM 21, binutils 2.40 and elfutils 0.188, those named below say less.
@Suite struct CommittedVariantTests {
  struct Variant: CustomTestStringConvertible {
    var library: String
    /// Tools that miss inlined calls, or all, beside what is in the folder.
    var failing: String

    init(_ library: String, failing: String = "eu-addr2line") {
      self.library = library
      self.failing = failing
    }

    var testDescription: String { "\(library), unlike \(failing)" }
  }

  static let variants = [
    Variant("gcc-dwarf2"), Variant("gcc-dwarf3"), Variant("gcc-dwarf4"), Variant("gcc-dwarf5"),
    Variant("clang-dwarf2"), Variant("clang-dwarf3"), Variant("clang-dwarf4"),
    Variant("clang-dwarf5"), Variant("clang-dwarf5-64bit"),
    Variant("gcc-dwarf5-64bit", failing: "addr2line, eu-addr2line"), Variant("gcc-types"),
    Variant("gcc-zlib"), Variant("gcc-zlib-gnu", failing: "llvm-symbolizer, eu-addr2line"),
    Variant("gcc-zstd", failing: "llvm-symbolizer, eu-addr2line"),
    Variant("gcc-split4", failing: "llvm-symbolizer, addr2line, eu-addr2line"),
    Variant("gcc-split5", failing: "llvm-symbolizer, addr2line, eu-addr2line"),
    Variant("clang-split4", failing: "llvm-symbolizer, addr2line, eu-addr2line"),
    Variant("clang-split5", failing: "llvm-symbolizer, addr2line, eu-addr2line"),
    Variant("gcc-package4", failing: "addr2line, eu-addr2line"),
    Variant("gcc-dwz4", failing: "llvm-symbolizer, addr2line, eu-addr2line"),
    Variant("gcc-debuglink"),
    Variant("gcc-buildid", failing: "all, unless in /usr/lib/debug"),
  ]

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fixtures/DebugVariants").standardized

  private func symbols(of library: String) throws -> FileSymbols {
    try FileSymbols(
      path: Self.folder.appending(path: "\(library).so").path,
      debugFolders: [Self.folder.appending(path: "debug").path])
  }

  /// Address and chain of each line of a table: `0x27b inner inner.h:2, outer outer.c:4`.
  private func table(_ compiler: String) throws -> [(address: UInt64, chain: String)] {
    let text = try String(
      contentsOf: Self.folder.appending(path: "\(compiler).chains"), encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      return (try #require(UInt64(parts[0].dropFirst(2), radix: 16)), String(parts[1]))
    }
  }

  @Test(arguments: variants) func everyInstructionHasItsChain(variant: Variant) throws {
    let table = try table(String(variant.library.prefix { $0 != "-" }))
    #expect(table.count > 20)
    var symbols = try symbols(of: variant.library)
    for (address, chain) in table {
      let found = symbols.locations(at: address).map { location in
        let file = location.file?.split(separator: "/").last.map(String.init)
        return "\(location.function ?? "??") \(file ?? "??"):\(location.line)"
      }
      #expect(found.joined(separator: ", ") == chain, "0x\(String(address, radix: 16))")
    }
  }

  @Test func miniDebugInformationHasNames() throws {
    var symbols = try symbols(of: "gcc-mini")
    #expect(symbols.locations(at: 0x23b) == [.init(function: "outer", file: nil, line: 0)])
    #expect(symbols.locations(at: 0x263) == [.init(function: "other", file: nil, line: 0)])
  }

  @Test func strippedLibraryHasNone() throws {
    var symbols = try symbols(of: "gcc-stripped")
    #expect(symbols.locations(at: 0x23b) == [.init(function: nil, file: nil, line: 0)])
  }
}
