import Foundation
import Testing
import WickProfile

@testable import WickSymbols

@Suite struct LiveProcessTests {
  private static let source = """
    #include <unistd.h>
    static volatile int sink;
    int __attribute__((noinline)) first(int x) { sink += x; return x * 3; }
    int main(int argc, char **argv) { (void)argv; write(1, "x", 1); sleep(60); return first(argc); }
    """

  private func profile(_ module: Module, address: UInt64, pid: Int32) -> Profile {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = [module]
    var process = Origin.Process(pid: UInt32(pid))
    process.info = [:]
    profile.origin.processes = [process]
    let frame = profile.intern(Frame(kind: .instruction, module: 0, address: address))
    profile.add(Profile.Sample(stack: profile.stack(parent: 0, frame: frame)), values: [1])
    return profile
  }

  @Test(arguments: [true, false])
  func replacedProgramIsReadFromTheProcess(isProgram: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try folder.compile(Self.source, flags: ["-g"])
    let module = Module(
      path: path, buildID: RealFiles.buildID(try RealFiles.bytes(path)), loadBias: 0,
      extent: 0..<1)
    let address = try DebugProgram.range(of: "first", in: path).lowerBound
    let process = Process()
    process.executableURL = URL(filePath: path)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    defer {
      // Threads of a test's pool block other signals, and children inherit that.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    // It runs when it has written.
    #expect(try output.fileHandleForReading.read(upToCount: 1)?.count == 1)
    try FileManager.default.removeItem(atPath: path)
    if isProgram {
      _ = try folder.compile(
        Self.source.replacingOccurrences(of: "first", with: "second"), flags: ["-g"])
    }
    var symbolicator = Symbolicator()
    let after = symbolicator.symbolicate(
      profile(module, address: address, pid: process.processIdentifier))
    #expect(after.frames.map(\.function) == ["first"])
    #expect(after.frames.map(\.line) == [3])
    #expect(after.origin.warnings.isEmpty)
    // Another process is of no help.
    var stranger = Symbolicator()
    let other = stranger.symbolicate(profile(module, address: address, pid: getpid()))
    #expect(other.frames.map(\.function) == ["program+0x" + String(address, radix: 16)])
    #expect(other.origin.warnings.count == 1)
  }

  @Test func mapsOfCompiledCodeAreRead() throws {
    let folder = try TemporaryFolder()
    try """
    1000 20 old
    1010 8 LazyCompile:~work app.js:1
    1000 10 new one
    nonsense
    2000 0 empty
    ffffffffffffffff 10 wraps
    """.write(toFile: "\(folder.path)/perf-7.map", atomically: true, encoding: .utf8)
    let map = PerfMap(pid: 7, folder: folder.path)
    #expect(map.name(at: 0x1000) == "new one")
    #expect(map.name(at: 0x100f) == "new one")
    #expect(map.name(at: 0x1017) == "LazyCompile:~work app.js:1")
    #expect(map.name(at: 0x1018) == nil)
    #expect(map.name(at: 0x2000) == nil)
    #expect(map.name(at: .max) == nil)
    #expect(PerfMap(pid: 8, folder: folder.path).name(at: 0x1000) == nil)
  }
}
