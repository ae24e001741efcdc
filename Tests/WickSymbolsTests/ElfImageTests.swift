import Foundation
import Testing

@testable import WickSymbols

/// What we read from real libraries against what binutils read.
@Suite struct ElfImageTests {
  private struct Row {
    var start: UInt64
    var size: UInt64
    var type: Substring
    var name: Substring
  }

  /// Functions as `readelf` sees them.
  private func rows(_ path: String) throws -> [Row] {
    try ToolRun.lines(["readelf", "-sW", path]).compactMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 8, words[3] == "FUNC" || words[3] == "IFUNC", words[6] != "UND",
        let start = UInt64(words[1], radix: 16)
      else { return nil }
      let size =
        words[2].hasPrefix("0x") ? UInt64(words[2].dropFirst(2), radix: 16) : UInt64(words[2])
      let name = words[7].prefix { $0 != "@" }
      return Row(start: start, size: size ?? 0, type: words[3], name: name)
    }
  }

  @Test(arguments: RealFiles.libraries)
  func everyFunctionOfReadelfIsFoundInItsRange(library: String) throws {
    let path = try RealFiles.path(library)
    let rows = try rows(path).filter { $0.size > 0 }
    #expect(rows.count > 2000)
    let table = try RealFiles.table(path)
    var aliases: [UInt64: Set<Substring>] = [:]
    for row in rows { aliases[row.start, default: []].insert(row.name) }
    var wrong = 0
    for row in rows {
      let found = table.symbol(at: row.start)
      let name = found.map { Demangler.withoutVersion($0.name) } ?? ""
      if !(aliases[row.start]?.contains(name[...]) ?? false) { wrong += 1 }
      if found?.range.lowerBound != row.start { wrong += 1 }
      // The last byte is in this function or in one that starts inside it.
      guard let last = table.symbol(at: row.start + row.size - 1) else {
        wrong += 1
        continue
      }
      if last.range.lowerBound < row.start { wrong += 1 }
    }
    #expect(wrong == 0)
    // And nothing but them is named: each range lies in a function, or is a PLT stub or has no size.
    let unsized = Set(
      try ToolRun.lines(["readelf", "-sW", path]).compactMap { line -> UInt64? in
        let words = line.split(separator: " ")
        guard words.count >= 8, words[2] == "0" else { return nil }
        return UInt64(words[1], radix: 16)
      })
    let ends = Dictionary(rows.map { ($0.start, $0.start + $0.size) }, uniquingKeysWith: max)
    let starts = ends.keys.sorted()
    var stray = 0
    table.forEach { range, name in
      let next = starts.partitioningIndex { $0 > range.lowerBound }
      let isInside = next > 0 && range.upperBound <= ends[starts[next - 1]] ?? 0
      if !isInside && !name.hasSuffix("@plt") && !unsized.contains(range.lowerBound)
        && !starts[..<next].suffix(64).contains(where: { range.upperBound <= ends[$0] ?? 0 })
      {
        stray += 1
      }
    }
    #expect(stray == 0)
  }

  @Test(arguments: ["libswiftCore.so"])
  func addressesInsideFunctionsAgreeWithAddr2line(library: String) throws {
    let path = try RealFiles.path(library)
    let rows = try rows(path).filter { $0.size > 1 }
    var addresses: [UInt64] = []
    for (index, row) in rows.enumerated() where index % 9 == 0 {
      addresses.append(row.start + UInt64(index) % row.size)
    }
    #expect(addresses.count > 3000)
    let input = addresses.map { String($0, radix: 16) + "\n" }.joined()
    let lines = try ToolRun.lines(["addr2line", "-f", "-e", path], input: input)
    try #require(lines.count == 2 * addresses.count)
    var aliases: [Substring: UInt64] = [:]
    for row in rows { aliases[row.name] = row.start }
    let table = try RealFiles.table(path)
    var agreeing = 0
    for (index, address) in addresses.enumerated() {
      let theirs = lines[2 * index]
      let ours = table.symbol(at: address)?.name ?? ""
      // Another alias of one function is the same answer.
      if ours == theirs || aliases[ours[...]] == aliases[theirs] { agreeing += 1 }
    }
    print("addr2line: \(agreeing) of \(addresses.count) addresses agree")
    #expect(Double(agreeing) >= 0.999 * Double(addresses.count))
  }

  @Test(arguments: RealFiles.libraries)
  func functionRangesAreThoseOfReadelf(library: String) throws {
    let path = try RealFiles.path(library)
    var wanted: Set<Range<UInt64>> = []
    for line in try ToolRun.lines(["readelf", "--debug-dump=frames,no-follow-links", path]) {
      guard let place = line.range(of: " pc="), line.contains(" FDE ") else { continue }
      let bounds = line[place.upperBound...].split(separator: ".", omittingEmptySubsequences: true)
      guard bounds.count == 2, let start = UInt64(bounds[0], radix: 16),
        let end = UInt64(bounds[1], radix: 16), start < end
      else { continue }
      wanted.insert(start..<end)
    }
    #expect(wanted.count > 1000)
    let functions = try RealFiles.image(path).functions
    #expect(functions.count == wanted.count)
    #expect(wanted.allSatisfy { functions.range(at: $0.lowerBound) == $0 })
  }

  @Test(arguments: RealFiles.libraries)
  func buildIDIsThatOfReadelf(library: String) throws {
    let path = try RealFiles.path(library)
    let notes = try ToolRun.output(["readelf", "-nW", path])
    let found = Hex.string(RealFiles.buildID(try RealFiles.bytes(path)))
    #expect(found.utf8.count >= 16)
    #expect(notes.contains("Build ID: \(found)"))
  }

  @Test func stubsAreNamedForWhatTheyCall() throws {
    let folder = try TemporaryFolder()
    let source = """
      #include <stdio.h>
      #include <stdlib.h>
      int main(void) { puts("a"); char *p = getenv("b"); return p ? system(p) : 0; }
      """
    for flags in [["-Wl,-z,lazy"], ["-fuse-ld=lld"], ["-Wl,-z,now", "-fcf-protection=full"]] {
      let program = try folder.compile(source, flags: flags)
      var names: Set<String> = []
      try RealFiles.table(program).forEach { range, name in
        if name.hasSuffix("@plt") { names.insert(name) }
      }
      #expect(names.isSuperset(of: ["puts@plt", "getenv@plt", "system@plt"]), "\(flags)")
      // objdump names the same addresses.
      let lines = try ToolRun.lines(["objdump", "-d", "--no-show-raw-insn", program])
      for line in lines where line.contains("@plt>:") {
        guard let address = UInt64(line.prefix { $0.isHexDigit }, radix: 16),
          let open = line.firstIndex(of: "<")
        else { continue }
        let wanted = line[line.index(after: open)...].dropLast(2)
        #expect(try RealFiles.table(program).symbol(at: address)?.name ?? "" == wanted)
      }
    }
  }
}
