import Foundation
import Testing

@testable import WickSymbols

/// The same program in every form that debug information comes in gives the same inlined calls.
@Suite struct DwarfVariantTests {
  static let variants: [(compiler: String, flags: [String])] = [
    ("gcc", ["-gdwarf-2"]), ("gcc", ["-gdwarf-3"]), ("gcc", ["-gdwarf-4"]),
    ("gcc", ["-gdwarf-5"]), ("clang", ["-gdwarf-2"]), ("clang", ["-gdwarf-3"]),
    ("clang", ["-gdwarf-4"]), ("clang", ["-gdwarf-5"]),
    ("gcc", ["-gdwarf-5", "-gdwarf64"]), ("clang", ["-gdwarf-5", "-gdwarf64"]),
    ("gcc", ["-g", "-gz=zlib"]), ("gcc", ["-gdwarf-4", "-gz=zlib-gnu"]),
    ("gcc", ["-gdwarf-4", "-fdebug-types-section"]),
    ("gcc", ["-gdwarf-5", "-fdebug-types-section"]),
    ("clang", ["-g", "-fdebug-types-section"]),
    ("gcc", ["-g", "-ffunction-sections", "-Wl,--gc-sections"]),
    ("clang", ["-g", "-ffunction-sections", "-Wl,--gc-sections", "-fuse-ld=lld"]),
    ("gcc", ["-g", "-no-pie"]), ("gcc", ["-g", "-flto"]), ("gcc", ["-g3"]),
    ("gcc", ["-gdwarf-4", "-gsplit-dwarf"]), ("gcc", ["-gdwarf-5", "-gsplit-dwarf"]),
    ("clang", ["-gdwarf-4", "-gsplit-dwarf"]), ("clang", ["-gdwarf-5", "-gsplit-dwarf"]),
    ("clang", ["-gdwarf-5", "-gsplit-dwarf", "-gz=zlib"]),
  ]

  @Test(arguments: variants.indices) func everyFormHasTheChain(index: Int) throws {
    let (compiler, flags) = Self.variants[index]
    let program = try DebugProgram(compiler, flags)
    let chains = try program.chains()
    // The compilers give the multiplication the line of either call.
    #expect(!chains.isDisjoint(with: DebugProgram.chains), "\(compiler) \(flags): \(chains)")
    #expect(chains.allSatisfy { $0.last?.hasPrefix("outer:") == true })
    // Folders were made absolute.
    #expect(try program.files() == ["\(program.folder.path)/t.c"])
  }

  @Test(arguments: ["gcc", "clang"], [4, 5])
  func relativeFoldersArePutInFrontOnce(compiler: String, version: Int) throws {
    let program = try DebugProgram(
      compiler, ["-gdwarf-\(version)", "-fdebug-prefix-map=$PWD=./here"])
    #expect(try program.files() == ["./here/t.c"])
  }

  @Test(arguments: ["zlib", "zstd", "zlib-gnu"]) func sectionsAreDecompressed(kind: String) throws {
    let program = try DebugProgram("gcc", ["-g"])
    let plain = try program.chains()
    try program.run("objcopy --compress-debug-sections=\(kind) t")
    let names = try ToolRun.output(["readelf", "-tW", program.path])
    #expect(names.contains("COMPRESSED") || names.contains(".zdebug_info"))
    #expect(try program.chains() == plain)
  }

  // Neither llvm-dwp 14 nor binutils' dwp can package version 5 as gcc writes it.
  @Test(arguments: [("gcc", 4), ("clang", 4), ("clang", 5)])
  func splitUnitsAreFoundInPackages(compiler: String, version: Int) throws {
    let program = try DebugProgram(compiler, ["-gdwarf-\(version)", "-gsplit-dwarf"])
    let whole = try program.chains()
    try program.run("timeout 60 llvm-dwp *.dwo -o t.dwp; rm *.dwo")
    #expect(try program.chains() == whole)
    // Somewhere else.
    try program.run("mkdir debug && mv t.dwp debug")
    #expect(try program.chains(debugFolders: ["\(program.folder.path)/debug"]) == whole)
    // Nowhere: functions and lines of the program itself stay, and the gap is noted.
    let lonely = try program.chains()
    #expect(lonely.allSatisfy { $0.count == 1 && $0[0].hasPrefix("outer:") })
    #expect(lonely.contains(["outer:4"]))
    let finder = ModuleFinder(root: "", debugFolders: [])
    let module = try #require(try finder.module(path: program.path))
    #expect(finder.symbols(of: module).problems == [.withoutSplitUnits(count: 1)])
  }

  @Test func splitFilesAreFoundBesideTheProgram() throws {
    let program = try DebugProgram("gcc", ["-g", "-gsplit-dwarf", "-fdebug-prefix-map=$PWD=/away"])
    #expect(!(try program.chains().isDisjoint(with: DebugProgram.chains)))
  }

  @Test(arguments: [4, 5]) func sharedDebugInformationIsFound(version: Int) throws {
    let program = try DebugProgram("gcc", ["-gdwarf-\(version)"])
    let plain = try program.chains()
    let files = try program.files()
    // Another program with the same code, so that there is something to share.
    try program.run("cp t u && dwz -m shared.dwz t u")
    let sections = try ToolRun.output(["readelf", "-SW", program.path])
    #expect(sections.contains(".gnu_debugaltlink"))
    #expect(try program.chains() == plain)
    #expect(try program.files() == files)
    // By its build-id.
    let id = try Self.buildID(of: "\(program.folder.path)/shared.dwz")
    try program.run(
      "mkdir -p debug/.build-id/\(id.prefix(2))"
        + " && mv shared.dwz debug/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug")
    #expect(try program.chains(debugFolders: ["\(program.folder.path)/debug"]) == plain)
    // Without it some names are missing, but no line, and the reason is said.
    #expect(try program.chains().contains { $0.last?.hasPrefix("outer:") == true })
    let finder = ModuleFinder(root: "", debugFolders: [])
    let module = try #require(try finder.module(path: program.path))
    #expect(finder.symbols(of: module).problems == [.withoutSharedFile(name: "shared.dwz")])
    // Another file in its place is refused.
    try program.run("cp u shared.dwz")
    #expect(finder.symbols(of: module).problems == [.withoutSharedFile(name: "shared.dwz")])
  }

  @Test func singleFileIsReadAfterDwz() throws {
    let program = try DebugProgram("gcc", ["-gdwarf-4"])
    let plain = try program.chains()
    try program.run("dwz t || true")
    #expect(try program.chains() == plain)
  }

  @Test(arguments: ["beside", ".debug", "folder", "build-id"])
  func separateFileIsFound(place: String) throws {
    let program = try DebugProgram("gcc", ["-g"])
    let plain = try program.chains()
    let id = try program.buildID
    try program.run(
      "objcopy --only-keep-debug t t.debug; strip -s t; objcopy --add-gnu-debuglink=t.debug t")
    switch place {
    case ".debug": try program.run("mkdir .debug; mv t.debug .debug")
    case "folder": try program.run("mkdir debug; mv t.debug debug")
    case "build-id":
      try program.run(
        "mkdir -p debug/.build-id/\(id.prefix(2));"
          + " mv t.debug debug/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug")
    default: break
    }
    #expect(try program.chains(debugFolders: ["\(program.folder.path)/debug"]) == plain)
  }

  @Test func wrongSeparateFileIsRefused() throws {
    let program = try DebugProgram("gcc", ["-g"])
    try program.run(
      """
      objcopy --only-keep-debug t t.debug; strip -s t; objcopy --add-gnu-debuglink=t.debug t
      sed 's/x \\* 3/x * 7/' t.c > u.c; gcc -g -O2 -Wl,--build-id -o u u.c
      objcopy --only-keep-debug u t.debug
      """)
    #expect(try program.chains() == [["??:0"]])
  }

  @Test func symbolsOfMiniDebugInformationAreFound() throws {
    let program = try DebugProgram("gcc", ["-g"])
    // As Fedora's packages are made.
    try program.run(
      """
      objcopy --only-keep-debug t t.debug
      nm t --format=posix --defined-only | awk '$2 ~ /[Tt]/ { print $1 }' > keep
      objcopy -S --remove-section .comment --keep-symbols=keep t.debug mini
      xz mini; strip -s t; objcopy --add-section .gnu_debugdata=mini.xz t; rm t.debug
      """)
    #expect(try program.chains() == [["outer:0"]])
  }

  @Test func decompressionIsBounded() throws {
    // 100 MB of zeros in 100 kB.
    let program = try DebugProgram("gcc", ["-g"])
    try program.run(
      """
      head -c 100000000 /dev/zero > zeros
      objcopy --update-section .debug_info=zeros t bomb
      objcopy --compress-debug-sections=zlib bomb
      """)
    let path = "\(program.folder.path)/bomb"
    let file = try DebugFile(path: path)
    #expect(file.section(".debug_info").byteCount == 0)
    #expect(file.damagedSections == [".debug_info"])
    #expect(try program.chains(of: path) == [["outer:0"]])
  }

  private static func buildID(of path: String) throws -> String {
    let file = try DebugFile(path: path)
    return Hex.string(file.elf.buildID(file.bytes))
  }
}
