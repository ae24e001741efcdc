import Foundation
import Testing
import WickProfile

@testable import WickSymbols

@Suite struct SymbolCacheTests {
  private let id = (0..<20).map { UInt8($0) }

  /// The index of a small program.
  private func index() throws -> SourceIndex {
    let program = try DebugProgram("gcc", ["-g"])
    let finder = ModuleFinder(root: "", debugFolders: [])
    return finder.symbols(of: try #require(try finder.module(path: program.path))).index
  }

  @Test func keptIndexIsTheSame() throws {
    let folder = try TemporaryFolder()
    let cache = SymbolCache(folder: "\(folder.path)/a/b")
    #expect(cache.index(of: id) == nil)
    let index = try index()
    cache.keep(index, of: id)
    let kept = try #require(cache.index(of: id))
    // The file's words end with the index.
    #expect(
      kept.content.bytes.array.suffix(index.content.count * 4)
        == index.content.bytes.array[...])
    #expect(kept.hasLines)
    #expect(cache.contents.fileCount == 1)
    #expect(cache.index(of: Array(id.reversed())) == nil)
    #expect(cache.clear() == 1)
    #expect(cache.index(of: id) == nil)
  }

  @Test func damagedFilesAreNotUsed() throws {
    let folder = try TemporaryFolder()
    let cache = SymbolCache(folder: folder.path)
    cache.keep(try index(), of: id)
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
    let path = "\(folder.path)/\(name)"
    let bytes = try RealFiles.bytes(path)
    #expect(cache.index(of: id) != nil)
    var random = SplitMix(state: 3)
    for round in 0..<500 {
      var damaged = bytes
      if round % 10 == 0 {
        damaged.removeLast(Int.random(in: 1...damaged.count, using: &random))
      } else {
        damaged[Int.random(in: damaged.indices, using: &random)] ^=
          1 << UInt8.random(in: 0..<8, using: &random)
      }
      // As a file of its own: the other may be mapped.
      try FileManager.default.removeItem(atPath: path)
      try Data(damaged).write(to: URL(filePath: path))
      #expect(cache.index(of: id) == nil)
    }
    // Nor under another name, nor through a link.
    try FileManager.default.removeItem(atPath: path)
    try Data(bytes).write(to: URL(filePath: "\(folder.path)/real"))
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "real")
    #expect(cache.index(of: id) == nil)
    try FileManager.default.removeItem(atPath: path)
    let other = Array(id.reversed())
    try Data(bytes).write(
      to: URL(filePath: "\(folder.path)/\(Hex.string(other)).wicksymbols"))
    #expect(cache.index(of: other) == nil)
  }

  @Test func oldestFilesGoFirst() throws {
    let folder = try TemporaryFolder()
    let index = try index()
    let byteCount = index.content.count * 4 + 200
    let cache = SymbolCache(folder: folder.path, byteLimit: byteCount * 3)
    let ids = (0..<5).map { number in [UInt8](repeating: UInt8(number), count: 20) }
    for id in ids[..<3] {
      cache.keep(index, of: id)
      usleep(20_000)
    }
    // Use makes the first the youngest.
    #expect(cache.index(of: ids[0]) != nil)
    usleep(20_000)
    for id in ids[3...] {
      cache.keep(index, of: id)
      usleep(20_000)
    }
    #expect(ids.map { cache.index(of: $0) != nil } == [true, false, false, true, true])
    #expect(cache.contents.byteCount <= byteCount * 3)
    // What is larger than all the cache is not kept.
    let small = SymbolCache(folder: "\(folder.path)/small", byteLimit: 100)
    small.keep(index, of: id)
    #expect(small.contents.fileCount == 0)
  }

  @Test func parallelWritersLeaveOneWholeFile() async throws {
    let folder = try TemporaryFolder()
    let cache = SymbolCache(folder: folder.path)
    let index = try index()
    let id = id
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<20 {
            cache.keep(index, of: id)
            if cache.index(of: id) == nil { return false }
          }
          return true
        }
      }
      for await isWhole in group { #expect(isWhole) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
  }

  @Test func incompleteModulesAreNotKept() throws {
    let folder = try TemporaryFolder()
    let cache = SymbolCache(folder: folder.path)
    let program = try DebugProgram("gcc", ["-g", "-gsplit-dwarf"])
    try program.run("rm *.dwo; strip --strip-debug -o stripped t")
    let finder = ModuleFinder(root: "", debugFolders: [], cache: cache)
    for name in ["t", "stripped"] {
      let module = try #require(try finder.module(path: "\(program.folder.path)/\(name)"))
      _ = finder.symbols(of: module)
      #expect(cache.contents.fileCount == 0)
    }
  }
}
