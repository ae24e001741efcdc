import Testing
import WickProfile

@testable import WickSymbols

/// Damaged files may give wrong names, or none, but never a trap.
@Suite struct HostileElfTests {
  private func program() throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let source = """
      #include <stdio.h>
      static int __attribute__((noinline)) inner(int x) { return x * 3; }
      int main(int argc, char **argv) { (void)argv; printf("%d", inner(argc)); return 0; }
      """
    return try RealFiles.bytes(try folder.compile(source))
  }

  /// Reads everything there is, as symbolication does.
  private func exercise(_ bytes: [UInt8]) -> Bool {
    guard let image = try? RealFiles.image(bytes) else { return false }
    let table = SymbolTable(
      image.symbols, names: image.names, code: image.code, functions: image.functions)
    var builder = SourceIndexBuilder(code: image.code, byteCount: 0)
    let index = builder.build(symbols: table, functions: image.functions)
    var module = ModuleSymbols(index, problems: [])
    for address in stride(from: UInt64(0), to: 0x5000, by: 64) {
      _ = module.coverage(at: address)
    }
    _ = module.coverage(at: .max)
    var merged = image
    merged.merge(image)
    table.forEach { _, name in _ = Demangler.name(of: name) }
    return true
  }

  @Test func flippedBytesNeverTrap() throws {
    let original = try program()
    #expect(exercise(original))
    var random = Generator(state: 1)
    var read = 0
    for round in 0..<2000 {
      var bytes = original
      // Every other time where the headers are.
      let flips = Int.random(in: 1...8, using: &random)
      for _ in 0..<flips {
        let isHeader = round % 2 == 0
        let index =
          isHeader
          ? (Bool.random(using: &random)
            ? Int.random(in: 0..<1024, using: &random)
            : Int.random(in: (bytes.count - 2048)..<bytes.count, using: &random))
          : Int.random(in: bytes.indices, using: &random)
        bytes[index] =
          [0, 0xff, 0x7f, 0x80, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      if exercise(bytes) { read += 1 }
    }
    // Most damage is local, so most files still read.
    #expect(read > 500)
  }

  @Test func truncatedFilesNeverTrap() throws {
    let original = try program()
    for count in stride(from: 0, to: original.count, by: 97) {
      _ = exercise(Array(original[..<count]))
    }
    #expect(!exercise([]))
    #expect(!exercise(Array("#!/bin/sh\n".utf8)))
  }

  @Test func randomUnwindInformationNeverTraps() {
    var random = Generator(state: 2)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        [0, 1, 4, 16, 0xff, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      let ranges = FrameDescriptions(bytes.span.bytes, address: .max - 64).ranges
      #expect(ranges.count <= bytes.count)
      _ = ElfNotes.buildID(bytes.span.bytes, alignment: 8)
    }
  }
}

/// The same numbers in each run (SplitMix64).
private struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
