import Foundation
import Glibc
import Testing
import WickProfile

@testable import WickTarget

@Suite struct MemoryMapTests {
  @Test func ownMappingsAreFound() throws {
    let map = MemoryMap(pid: getpid())
    let code = try #require(
      map.mapping(at: UInt64(UInt(bitPattern: dlsym(nil, "read")))))
    #expect(code.isExecutable && !code.isWritable && code.isConstant)
    #expect(code.path.contains("/libc"))
    var local = 0
    let stack = withUnsafePointer(to: &local) { map.mapping(at: UInt64(UInt(bitPattern: $0))) }
    #expect(try #require(stack).isWritable)
    #expect(map.mapping(at: 8) == nil)
    #expect(map.mapping(at: .max) == nil)
    #expect(map.mappings.contains { $0.path == "[vdso]" && $0.isStartOfFile })
  }

  @Test func modulesAreThoseOfTheLoader() throws {
    let code = LoadedCode(pid: getpid(), map: MemoryMap(pid: getpid()))
    let address = UInt64(UInt(bitPattern: dlsym(nil, "read")))
    let place = try #require(code.module(at: address))
    let module = code.modules[place]
    // libc is linked to run at 0, so it begins at its bias.
    let start = code.map.mappings.first { $0.path.contains("/libc.so") }?.range.lowerBound
    #expect(module.module.loadBias == start)
    #expect(module.module.path.contains("/libc"))
    #expect(module.module.buildID.count == 20)
    #expect(module.module.extent.contains(address - module.module.loadBias))
    #expect(try #require(module.table).entryCount > 1000)
    #expect(code.isCode(address) && !code.isCode(8))
    #expect(code.module(at: 8) == nil)
  }
}
