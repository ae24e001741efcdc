import Glibc
import Testing
import WickProfile

@testable import WickTarget

@Suite struct CodeMapTests {
  @Test func ownMappingsAreCode() throws {
    let mappings = try #require(CodeMapping.all(of: getpid()))
    let own = try #require(ProcFile.link("/proc/self/exe"))
    let program = try #require(mappings.first { $0.path == own })
    #expect(program.inode == ProcFile.inode(own) && !program.isDeleted)
    #expect(mappings.allSatisfy { !$0.range.isEmpty })
    #expect(CodeMapping.all(of: 4_194_303) == nil)
    // As a perf event tells of it.
    let gone = CodeMapping(range: 1..<2, offset: 0, inode: 7, path: "/usr/lib/a b.so (deleted)")
    #expect(gone.path == "/usr/lib/a b.so" && gone.isDeleted)
  }

  @Test func ownCodeIsPlaced() throws {
    var map = CodeMap(pid: getpid())
    let vdso = try #require(CodeMapping.all(of: getpid())?.first { $0.path == "[vdso]" })
    guard case .module(let index)? = map.place(at: vdso.range.lowerBound + 0x100) else {
      Issue.record("the vdso is in no module")
      return
    }
    #expect(map.modules[index].path == "[vdso]")
    #expect(map.modules[index].loadBias == vdso.range.lowerBound)
    #expect(!map.modules[index].buildID.isEmpty)
    #expect(map.place(at: 0) == nil)
    #expect(map.modules.allSatisfy { $0.extent.lowerBound < $0.extent.upperBound })

    // What is mapped over a part hides that and nothing else.
    let hole = vdso.range.lowerBound + 0x100..<vdso.range.lowerBound + 0x200
    map.insert(CodeMapping(range: hole, offset: 0, inode: 0, path: ""))
    #expect(map.place(at: hole.lowerBound - 1) == .module(index))
    #expect(map.place(at: hole.lowerBound) == .noModule)
    #expect(map.place(at: hole.upperBound - 1) == .noModule)
    #expect(map.place(at: hole.upperBound) == .module(index))
  }
}
