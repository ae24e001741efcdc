import Foundation
import Testing

@testable import WickSymbols

/// Damaged debug information may give wrong names or none, but never a trap, and ends soon.
@Suite struct HostileDwarfTests {
  /// How many files are damaged for each seed; `WICK_MUTATIONS` asks for more by hand.
  static let mutationCount =
    ProcessInfo.processInfo.environment["WICK_MUTATIONS"].flatMap { Int($0) } ?? 250

  static let seeds: [(compiler: String, flags: [String], command: String)] = [
    ("gcc", ["-gdwarf-2"], "true"), ("gcc", ["-gdwarf-4"], "true"),
    ("gcc", ["-gdwarf-5"], "true"), ("clang", ["-gdwarf-4"], "true"),
    ("clang", ["-gdwarf-5"], "true"), ("gcc", ["-g", "-gdwarf64"], "true"),
    ("gcc", ["-g", "-flto"], "true"),
    ("gcc", ["-g"], "objcopy --compress-debug-sections=zlib t"),
    ("gcc", ["-g"], "objcopy --compress-debug-sections=zstd t"),
    ("clang", ["-gdwarf-4", "-gsplit-dwarf"], "true"),
    ("clang", ["-gdwarf-5", "-gsplit-dwarf"], "true"),
    ("clang", ["-gdwarf-5", "-gsplit-dwarf"], "timeout 60 llvm-dwp *.dwo -o t.dwp; rm *.dwo"),
    ("gcc", ["-gdwarf-4"], "cp t u; dwz -m shared.dwz t u"),
  ]

  @Test(arguments: seeds.indices) func damagedFilesNeverTrap(index: Int) throws {
    let (compiler, flags, command) = Self.seeds[index]
    let program = try DebugProgram(compiler, flags)
    try program.run(command)
    let addresses = Array(program.outer) + [0, .max, program.outer.upperBound + 100]
    // All files that debug information is in.
    let names = try FileManager.default.contentsOfDirectory(atPath: program.folder.path)
      .filter { $0 == "t" || $0.hasSuffix(".dwo") || $0.hasSuffix(".dwp") || $0.hasSuffix(".dwz") }
      .sorted()
    var random = SplitMix(state: UInt64(index + 1))
    var readCount = 0
    for name in names {
      let path = "\(program.folder.path)/\(name)"
      let original = try RealFiles.bytes(path)
      let places = try Self.debugPlaces(original)
      #expect(!places.isEmpty)
      for _ in 0..<Self.mutationCount / names.count {
        let damaged = Self.damage(original, places, &random)
        try Data(damaged).write(to: URL(filePath: path))
        guard var symbols = try? FileSymbols(path: program.path, debugFolders: []) else {
          continue
        }
        readCount += 1
        var output: [UInt8] = []
        for address in addresses {
          symbols.appendText(at: address, to: &output)
          #expect(symbols.locations(at: address).count < 10_000)
        }
      }
      try Data(original).write(to: URL(filePath: path))
    }
    #expect(readCount > Self.mutationCount / 4)
    // The files are as they were.
    #expect(!(try program.chains().isDisjoint(with: DebugProgram.chains)))
  }

  /// Where the debug sections and the section headers are.
  private static func debugPlaces(_ bytes: [UInt8]) throws -> [Range<Int>] {
    let elf = try ElfFile.open(bytes.span.bytes, isProgram: false)
    return elf.sections.filter { section in
      (section.name.hasPrefix(".debug_") || section.name.hasPrefix(".gnu_debug"))
        && section.byteCount > 0 && section.offset + section.byteCount <= UInt64(bytes.count)
    }.map { Int($0.offset)..<Int($0.offset + $0.byteCount) }
  }

  private static func damage(
    _ original: [UInt8], _ places: [Range<Int>], _ random: inout SplitMix
  ) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      guard let place = places.randomElement(using: &random) else { return bytes }
      // Headers are at the start of sections, and count most.
      let isHeader = Bool.random(using: &random)
      let end = isHeader ? min(place.lowerBound + 64, place.upperBound) : place.upperBound
      let start = Int.random(in: place.lowerBound..<end, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
      case 1:
        let value = ([0, 1, 0x7f, 0x80, 0xff] as [UInt8]).randomElement(using: &random) ?? 0
        for index in start..<min(start + Int.random(in: 1...9, using: &random), end) {
          bytes[index] = value
        }
      case 2: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      default:
        // Part of the section again, somewhere else.
        let from = Int.random(in: place, using: &random)
        let count = min(
          Int.random(in: 1...32, using: &random), end - start, place.upperBound - from)
        for index in 0..<max(0, count) { bytes[start + index] = original[from + index] }
      }
    }
    if Int.random(in: 0..<20, using: &random) == 0 {
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
    }
    return bytes
  }

  @Test func unitsThatAllNameOneLongTableEndSoon() throws {
    // 50,000 units of 12 bytes, each with abbreviations one byte further into 1 MB.
    var info: [UInt8] = []
    for index in 0..<50_000 as Range<UInt32> {
      info += [8, 0, 0, 0, 4, 0]
      for shift in [0, 8, 16, 24] as [UInt32] {
        info.append(UInt8(truncatingIfNeeded: index >> shift))
      }
      info += [8, 1]
    }
    let abbreviations = [UInt8](repeating: 1, count: 1 << 20)
    let none = RawSpan()
    let sections = DwarfSections(
      info: info.span.bytes, abbreviations: abbreviations.span.bytes, strings: none,
      lineStrings: none, stringOffsets: none, addresses: none, ranges: none, rangeLists: none,
      lines: none)
    let reader = DwarfReader(sections)
    // Only so many were read as the section can pay for.
    #expect(reader.units.count < 100)
  }

  @Test func textsWithoutEndAreCut() {
    var pool = TextPool(byteLimit: 1 << 20)
    let endless = [UInt8](repeating: 0x61, count: 1 << 16)
    for start in 0..<1000 { _ = pool.id(of: endless[start...]) }
    #expect(pool.bytes.count <= 1 << 20)
    var distinct = endless
    for index in 0..<200 {
      distinct[0] = UInt8(index)
      _ = pool.id(of: distinct)
    }
    #expect(pool.isFull)
    #expect(pool.bytes.count <= 1 << 20)
  }
}

/// The same numbers in each run (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
