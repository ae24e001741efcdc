import Foundation
import Testing
import WickProfile
@testable import WickSymbols

@Suite struct SymbolicatorTests {
  private static let source = """
    #include <stdio.h>
    static volatile int sink;
    static int __attribute__((noinline)) leaf(int x) { sink += x; return x * 3; }
    int __attribute__((noinline)) exported(int x) { return leaf(x) + leaf(x + 1); }
    int main(int argc, char **argv) { (void)argv; printf("%d", exported(argc)); return 0; }
    """

  /// Where functions are, as `nm` says.
  private func addresses(_ program: String) throws -> [Substring: UInt64] {
    var found: [Substring: UInt64] = [:]
    for line in try ToolRun.lines(["nm", program]) {
      let words = line.split(separator: " ")
      if words.count == 3, let address = UInt64(words[0], radix: 16) { found[words[2]] = address }
    }
    return found
  }

  private func module(_ path: String, buildID: [UInt8]? = nil) throws -> Module {
    Module(
      path: path, buildID: try buildID ?? RealFiles.buildID(RealFiles.bytes(path)),
      loadBias: 0x5555_0000_0000, extent: 0..<0x10000)
  }

  /// A profile with one stack of the given frames, root first.
  private func profile(_ modules: [Module], _ frames: [Frame]) -> Profile {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = modules
    var node = 0
    for frame in frames { node = profile.stack(parent: node, frame: profile.intern(frame)) }
    profile.add(Profile.Sample(stack: node), values: [7])
    return profile
  }

  private func functions(_ profile: Profile) -> [String] {
    profile.samples.first.map {
      profile.stacks.framesLeafFirst(of: $0.stack).reversed().map { profile.frames[$0].function }
    } ?? []
  }

  @Test func stackOfAddressesBecomesStackOfFunctions() throws {
    let folder = try TemporaryFolder()
    let program = try folder.compile(Self.source)
    let places = try addresses(program)
    let main = try #require(places["main"])
    let exported = try #require(places["exported"])
    let leaf = try #require(places["leaf"])
    var symbolicator = Symbolicator()
    let before = profile(
      [try module(program)],
      [
        Frame(kind: .returnAddress, module: 0, address: main + 5),
        // A call as the last instruction: the return address is the next function's.
        Frame(kind: .returnAddress, module: 0, address: exported + 1),
        Frame(kind: .instruction, module: 0, address: leaf),
      ])
    let after = symbolicator.symbolicate(before)
    #expect(functions(after) == ["main", "exported", "leaf"])
    #expect(after.frames.map(\.address) == before.frames.map(\.address))
    #expect(after.total(of: 0) == 7)
    #expect(after.origin.warnings.isEmpty)
    // The start of a function as a return address belongs to what is before it.
    let edge = symbolicator.symbolicate(
      profile([try module(program)], [Frame(kind: .returnAddress, module: 0, address: leaf)]))
    #expect(functions(edge) != ["leaf"])
    let resume = symbolicator.symbolicate(
      profile([try module(program)], [Frame(kind: .asyncResume, module: 0, address: leaf)]))
    #expect(functions(resume) == ["leaf"])
  }

  @Test func framesWithoutCodeOrModuleKeepTheirMeaning() throws {
    let truncated = Frame(kind: .truncated, address: 2, function: "[truncated: memory]")
    let named = Frame(kind: .instruction, module: 0, address: 16, function: "already")
    var symbolicator = Symbolicator()
    let after = symbolicator.symbolicate(
      profile(
        [Module(path: "/no/such/lib.so", buildID: [1, 2], loadBias: 0, extent: 0..<1)],
        [
          truncated, named, Frame(kind: .returnAddress, address: 0x7f00_dead_beef),
          Frame(kind: .instruction, module: 9, address: 0x10),
          Frame(kind: .returnAddress, module: 0, address: 0x1a2b3),
          Frame(kind: .returnAddress, module: 0, address: 0),
        ]))
    #expect(
      functions(after) == [
        "[truncated: memory]", "already", "0x7f00deadbeef", "0x10", "lib.so+0x1a2b3", "lib.so+0x0",
      ])
    #expect(
      after.origin.warnings
        == ["/no/such/lib.so: not found; 2 of its 2 addresses have no function name."])
  }

  @Test func strippedProgramHasOneFramePerFunction() throws {
    let folder = try TemporaryFolder()
    let program = try folder.compile(Self.source)
    let places = try addresses(program)
    let leaf = try #require(places["leaf"])
    _ = try ToolRun.output(["strip", "-s", program])
    var symbolicator = Symbolicator()
    let after = symbolicator.symbolicate(
      profile(
        [try module(program)],
        [
          Frame(kind: .instruction, module: 0, address: leaf),
          Frame(kind: .instruction, module: 0, address: leaf + 3),
          Frame(kind: .instruction, module: 0, address: 0x10),
        ]))
    let name = "program!fn@0x" + String(leaf, radix: 16)
    #expect(functions(after) == [name, name, "program+0x10"])
    #expect(
      after.origin.warnings
        == [
          "\(program): stripped, only exported names; 3 of its 3 addresses have no function name."
        ])
  }

  @Test func programWithoutSectionHeadersIsReadThroughItsSegments() throws {
    let folder = try TemporaryFolder()
    let program = try folder.compile(Self.source)
    let leaf = try #require(try addresses(program)["leaf"])
    var bytes = try RealFiles.bytes(program)
    let buildID = RealFiles.buildID(bytes)
    // e_shoff, e_shnum and e_shstrndx.
    for index in 40..<48 { bytes[index] = 0 }
    for index in 60..<64 { bytes[index] = 0 }
    try Data(bytes).write(to: URL(filePath: program))
    #expect(RealFiles.buildID(bytes) == buildID)
    var symbolicator = Symbolicator()
    let after = symbolicator.symbolicate(
      profile(
        [try module(program)], [Frame(kind: .instruction, module: 0, address: leaf + 1)]))
    #expect(functions(after) == ["program!fn@0x" + String(leaf, radix: 16)])
  }

  @Test func otherBuildIsRefused() throws {
    let folder = try TemporaryFolder()
    let program = try folder.compile(Self.source)
    let leaf = try #require(try addresses(program)["leaf"])
    let found = RealFiles.buildID(try RealFiles.bytes(program))
    var symbolicator = Symbolicator()
    let frames = [Frame(kind: .instruction, module: 0, address: leaf)]
    let other = symbolicator.symbolicate(
      profile([try module(program, buildID: [0xab, 0xcd])], frames))
    #expect(functions(other) == ["program+0x" + String(leaf, radix: 16)])
    #expect(other.origin.warnings.count == 1)
    let warning = other.origin.warnings.first ?? ""
    #expect(warning.contains("another build"))
    #expect(warning.contains(found.map { String(format: "%02x", $0) }.joined()))
    #expect(warning.contains("recorded abcd"))
    // A file with a build-id is not the one that was recorded without.
    let none = symbolicator.symbolicate(profile([try module(program, buildID: [])], frames))
    #expect(none.origin.warnings.first?.contains("recorded none") == true)
    #expect(functions(none) == functions(other))
    // Nor the other way round.
    let plain = try folder.compile(Self.source, name: "plain", flags: ["-Wl,--build-id=none"])
    let unlike = symbolicator.symbolicate(profile([try module(plain, buildID: found)], frames))
    #expect(unlike.origin.warnings.first?.contains("build-id none") == true)
    let place = try #require(try addresses(plain)["leaf"])
    let alike = symbolicator.symbolicate(
      profile([try module(plain)], [Frame(kind: .instruction, module: 0, address: place)]))
    #expect(functions(alike) == ["leaf"])
    #expect(alike.origin.warnings.first?.contains("no build-id") == true)
  }

  @Test func addressesAreVirtualAndNotFileOffsets() throws {
    let folder = try TemporaryFolder()
    let program = try folder.compile(Self.source, flags: ["-fuse-ld=lld"])
    let loads = try ToolRun.lines(["readelf", "-lW", program]).filter {
      $0.contains("LOAD") && $0.contains(" R E ")
    }
    let words = try #require(loads.first).split(separator: " ")
    #expect(words[1] != words[2], "the linker made offset and address equal")
    let places = try addresses(program)
    var symbolicator = Symbolicator()
    for name in ["main", "exported", "leaf"] as [Substring] {
      let address = try #require(places[name])
      let after = symbolicator.symbolicate(
        profile(
          [try module(program)], [Frame(kind: .instruction, module: 0, address: address + 2)]))
      #expect(functions(after) == [String(name)])
    }
  }

  @Test func symbolsComeFromSeparateFilesByBuildID() throws {
    let folder = try TemporaryFolder()
    let program = try folder.compile(Self.source)
    let leaf = try #require(try addresses(program)["leaf"])
    let hex = RealFiles.buildID(try RealFiles.bytes(program)).map { String(format: "%02x", $0) }
    let debugFolder = "\(folder.path)/debug/.build-id/\(hex[0])"
    try FileManager.default.createDirectory(
      atPath: debugFolder, withIntermediateDirectories: true)
    _ = try ToolRun.output([
      "objcopy", "--only-keep-debug", program,
      "\(debugFolder)/\(hex.dropFirst().joined()).debug",
    ])
    _ = try ToolRun.output(["strip", "-s", program])
    let recorded = try module(program)
    let frames = [
      Frame(kind: .instruction, module: 0, address: leaf),
      Frame(kind: .instruction, module: 0, address: 0x10),
    ]
    var symbolicator = Symbolicator(debugFolders: ["\(folder.path)/debug"])
    let after = symbolicator.symbolicate(profile([recorded], frames))
    #expect(functions(after) == ["leaf", "program+0x10"])
    #expect(after.origin.warnings.isEmpty)
    // The debug file is enough.
    try FileManager.default.removeItem(atPath: program)
    var second = Symbolicator(debugFolders: ["\(folder.path)/debug"])
    #expect(functions(second.symbolicate(profile([recorded], frames))) == functions(after))
  }

  @Test(arguments: ["", ".debug/", "debug"])
  func symbolsComeFromSeparateFilesByName(place: String) throws {
    let folder = try TemporaryFolder()
    let root = try TemporaryFolder()
    for hasBuildID in [true, false] {
      let name = hasBuildID ? "with" : "without"
      let program = try folder.compile(
        Self.source, name: name, flags: hasBuildID ? [] : ["-Wl,--build-id=none"])
      let leaf = try #require(try addresses(program)["leaf"])
      let debug = "\(folder.path)/\(name).debug"
      _ = try ToolRun.output(["objcopy", "--only-keep-debug", program, debug])
      _ = try ToolRun.output(["strip", "-s", program])
      _ = try ToolRun.output(["objcopy", "--add-gnu-debuglink=\(debug)", program])
      // The process saw /bin/NAME below `root`.
      let target =
        place == "debug" ? "\(root.path)/debug/bin/" : "\(root.path)/bin/\(place)"
      for path in ["\(root.path)/bin", target] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      try FileManager.default.moveItem(atPath: program, toPath: "\(root.path)/bin/\(name)")
      try FileManager.default.moveItem(atPath: debug, toPath: "\(target)/\(name).debug")
      var recorded = try module("\(root.path)/bin/\(name)")
      recorded.path = "/bin/\(name)"
      let frames = [Frame(kind: .instruction, module: 0, address: leaf)]
      var symbolicator = Symbolicator(root: root.path, debugFolders: ["/debug"])
      #expect(functions(symbolicator.symbolicate(profile([recorded], frames))) == ["leaf"])
      if !hasBuildID {
        // Without a build-id the checksum must be right.
        var bytes = try RealFiles.bytes("\(target)/\(name).debug")
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(filePath: "\(target)/\(name).debug"))
        var second = Symbolicator(root: root.path, debugFolders: ["/debug"])
        #expect(
          functions(second.symbolicate(profile([recorded], frames)))
            == ["\(name)!fn@0x" + String(leaf, radix: 16)])
      }
    }
  }

  @Test func kernelPageIsReadFromMemory() throws {
    let line = try #require(try RealFiles.maps().first { $0.hasSuffix("[vdso]") })
    let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap {
      UInt64($0, radix: 16)
    }
    try #require(bounds.count == 2)
    let memory = try #require(FileHandle(forReadingAtPath: "/proc/self/mem"))
    try memory.seek(toOffset: bounds[0])
    let bytes = [UInt8](try memory.read(upToCount: Int(bounds[1] - bounds[0])) ?? Data())
    let image = try RealFiles.image(bytes)
    let symbol = try #require(
      image.symbols.first { image.names[$0.name] == "__vdso_clock_gettime" })
    let page = Module(path: "[vdso]", buildID: image.buildID, loadBias: bounds[0], extent: 0..<1)
    var symbolicator = Symbolicator()
    let frames = [Frame(kind: .instruction, module: 0, address: symbol.start + 1)]
    let after = symbolicator.symbolicate(profile([page], frames))
    #expect(["__vdso_clock_gettime", "clock_gettime"].contains(functions(after).first ?? ""))
    #expect(after.origin.warnings.isEmpty)
    let old = Module(path: "[vdso]", buildID: [1], loadBias: 0, extent: 0..<1)
    let refused = symbolicator.symbolicate(profile([old], frames))
    #expect(refused.origin.warnings.first?.contains("another build") == true)
  }

  @Test func pathsThatAreNoFilesAreNotOpened() throws {
    let folder = try TemporaryFolder()
    let pipe = "\(folder.path)/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let paths = [pipe, folder.path, "/dev/zero", "", "../x", "\u{0}"]
    let modules = paths.map { Module(path: $0, buildID: [], loadBias: 0, extent: 0..<1) }
    var symbolicator = Symbolicator()
    let after = symbolicator.symbolicate(
      profile(
        modules,
        modules.indices.map { Frame(kind: .instruction, module: $0, address: 0x40) }))
    #expect(after.origin.warnings.count == modules.count)
    #expect(functions(after).allSatisfy { $0.hasSuffix("+0x40") })
  }

  @Test func sameProfileGivesSameWarningsOnceAModule() throws {
    let missing = (0..<20).map {
      Module(path: "/missing/\($0)", buildID: [1], loadBias: 0, extent: 0..<1)
    }
    let frames = (0..<60).map {
      Frame(kind: .instruction, module: $0 % 20, address: UInt64($0))
    }
    var first = Symbolicator()
    var second = Symbolicator()
    let warnings = first.symbolicate(profile(missing, frames)).origin.warnings
    #expect(warnings == second.symbolicate(profile(missing, frames)).origin.warnings)
    #expect(warnings == first.symbolicate(profile(missing, frames)).origin.warnings)
    #expect(warnings.count == 20)
    #expect(warnings.first?.contains("3 of its 3") == true)
  }
}
