import Foundation
import Testing
import WickProfile
import WickSymbols

@Suite struct ModuleFileTests {
  private static let code = """
    int twice(int x) { return 2 * x; }
    int main(void) { return twice(21); }

    """

  private func withProgram(_ body: (_ path: String, _ module: Module) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "wick-module-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appending(path: "a.c")
    try Data(Self.code.utf8).write(to: source)
    let program = folder.appending(path: "a").path
    _ = try ToolRun.output([
      "gcc", "-O1", "-fno-inline", "-Wl,--build-id", "-o", program, source.path,
    ])
    let notes = try ToolRun.output(["readelf", "-n", program])
    let hex = try #require(notes.firstMatch(of: /Build ID: ([0-9a-f]+)/)).1
    let buildID = stride(from: 0, to: hex.count, by: 2).compactMap {
      UInt8(hex.dropFirst($0).prefix(2), radix: 16)
    }
    try body(program, Module(path: program, buildID: buildID, loadBias: 0, extent: 0..<0x10000))
  }

  @Test func functionsAreReadFromTheirStart() throws {
    try withProgram { path, module in
      var file = try #require(ModuleFile(module))
      #expect(file.path == path)
      #expect([62, 183].contains(file.machine))
      let symbols = try ToolRun.output(["nm", "-S", path])
      let entry = try #require(symbols.firstMatch(of: /([0-9a-f]+) ([0-9a-f]+) T twice/))
      let start = try #require(UInt64(entry.1, radix: 16))
      let byteCount = try #require(Int(entry.2, radix: 16))
      let found = file.function(at: start + UInt64(byteCount) - 1)
      let function = try #require(found)
      #expect(function.start == start)
      #expect(function.code.count == byteCount)
      let nothing = [file.function(at: 0), file.function(at: .max)]
      #expect(nothing.allSatisfy { $0 == nil })
    }
  }

  @Test func anotherBuildIsNotTaken() throws {
    try withProgram { path, module in
      var other = module
      other.buildID[0] ^= 1
      #expect(ModuleFile(other) == nil)
      other.buildID = []
      #expect(ModuleFile(other) == nil)
      other = module
      other.path = path + ".gone"
      #expect(ModuleFile(other) == nil)
      #expect(ModuleFile(Module(path: "[vdso]", buildID: [1], loadBias: 0, extent: 0..<1)) == nil)
    }
  }
}
