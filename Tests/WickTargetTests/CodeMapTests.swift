import Glibc
import Testing
import WickProfile

@testable import WickTarget

@Suite struct CodeMapTests {
  @Test func linesOfMapsAreRead() throws {
    let line = "7f12000-7f15000 r-xp 00026000 fe:00 1234   /usr/lib/a b.so (deleted)"
    let mapping = try #require(CodeMapping(line[...]))
    #expect(mapping.range == 0x7f12000..<0x7f15000)
    #expect(mapping.offset == 0x26000 && mapping.inode == 1234)
    #expect(mapping.path == "/usr/lib/a b.so" && mapping.isDeleted)
    let anonymous = try #require(CodeMapping("1000-2000 rwxp 00000000 00:00 0"))
    #expect(anonymous.path == "" && anonymous.inode == 0)
    for bad in ["", "1000-2000 r--p 0 00:00 0", "2000-1000 r-xp 0 00:00 0", "x r-xp 0 0 0"] {
      #expect(CodeMapping(bad[...]) == nil)
    }
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
