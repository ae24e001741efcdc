import Testing

@testable import WickSymbols

@Suite struct SymbolTableTests {
  private struct Entry {
    var name: String
    var start: UInt64
    var size: UInt64
    var info: UInt8 = 0x12
  }

  private func table(
    _ entries: [Entry], code: [Range<UInt64>] = [0x1000..<0x9000],
    functions: [Range<UInt64>] = []
  ) -> SymbolTable {
    var names = SymbolNames()
    let symbols = entries.compactMap { entry in
      ElfSymbol(
        info: entry.info, section: 1, value: entry.start, byteCount: entry.size,
        name: names.append(name: entry.name))
    }
    return SymbolTable(
      symbols, names: names, code: AddressRanges(code), functions: AddressRanges(functions))
  }

  private func names(_ table: SymbolTable, _ addresses: [UInt64]) -> [String?] {
    addresses.map { table.symbol(at: $0)?.name }
  }

  @Test func symbolEndsWithItsSize() {
    let table = table([Entry(name: "a", start: 0x1000, size: 0x10)])
    #expect(names(table, [0xfff, 0x1000, 0x100f, 0x1010]) == [nil, "a", "a", nil])
  }

  @Test func innermostSymbolWinsAndTheOuterGoesOn() {
    let table = table([
      Entry(name: "outer", start: 0x1000, size: 0x100),
      Entry(name: "inner", start: 0x1040, size: 0x10),
    ])
    #expect(
      names(table, [0x103f, 0x1040, 0x104f, 0x1050]) == ["outer", "inner", "inner", "outer"])
  }

  @Test func overlapGoesToTheLaterStart() {
    let table = table([
      Entry(name: "a", start: 0x1000, size: 0x20), Entry(name: "b", start: 0x1010, size: 0x20),
    ])
    #expect(names(table, [0x100f, 0x1010, 0x1020, 0x102f, 0x1030]) == ["a", "b", "b", "b", nil])
  }

  @Test(
    arguments: [
      (["f", "__f"], [0x12, 0x12], "f"), (["__GI_strlen", "__strlen"], [0x12, 0x12], "__strlen"),
      (["zed", "abc"], [0x12, 0x22], "zed"), (["__libc_f", "f"], [0x12, 0x22], "f"),
      (["__f", "f"], [0x12, 0x02], "__f"), (["local", "weak"], [0x02, 0x22], "weak"),
      (["label", "_function"], [0x10, 0x12], "_function"), (["b", "a"], [0x12, 0x12], "a"),
    ] as [([String], [UInt8], String)])
  func bestAliasIsChosenInAnyOrder(aliases: [String], infos: [UInt8], best: String) {
    let entries = zip(aliases, infos).map {
      Entry(name: $0, start: 0x1000, size: 0x10, info: $1)
    }
    #expect(table(entries).symbol(at: 0x1008)?.name == best)
    #expect(table(entries.reversed()).symbol(at: 0x1008)?.name == best)
  }

  @Test func symbolWithoutSizeEndsAtNextSymbolDescriptionOrSection() {
    let entries = [
      Entry(name: "a", start: 0x1000, size: 0, info: 0x10),
      Entry(name: "b", start: 0x1100, size: 0),
      Entry(name: "c", start: 0x1200, size: 0x10), Entry(name: "d", start: 0x2f00, size: 0),
    ]
    let plain = table(entries, code: [0x1000..<0x3000, 0x3000..<0x4000])
    #expect(names(plain, [0x1000, 0x10ff, 0x1100, 0x11ff]) == ["a", "a", "b", "b"])
    #expect(names(plain, [0x1210, 0x2eff, 0x2fff, 0x3000]) == [nil, nil, "d", nil])
    let described = table(
      entries, code: [0x1000..<0x3000], functions: [0x1000..<0x1020, 0x1140..<0x1180])
    #expect(names(described, [0x101f, 0x1020, 0x113f, 0x1140]) == ["a", nil, "b", nil])
  }

  @Test func labelInsideAFunctionDoesNotCutIt() {
    let table = table([
      Entry(name: "f", start: 0x1000, size: 0x40),
      Entry(name: "again", start: 0x1010, size: 0, info: 0x10),
    ])
    #expect(names(table, [0x100f, 0x1010, 0x103f, 0x1040]) == ["f", "f", "f", nil])
  }

  @Test func whatCannotNameCodeIsLeftOut() {
    let table = table([
      Entry(name: "object", start: 0x1000, size: 8, info: 0x11),
      Entry(name: "$x", start: 0x1100, size: 0, info: 0x00),
      Entry(name: "_etext", start: 0x1200, size: 0, info: 0x10),
      Entry(name: "", start: 0x1300, size: 8), Entry(name: "data", start: 0xa000, size: 8),
    ])
    #expect(table.count == 0)
    #expect(ElfSymbol(info: 0x12, section: 0, value: 1, byteCount: 1, name: 0) == nil)
    #expect(ElfSymbol(info: 0x12, section: 0xfff1, value: 1, byteCount: 1, name: 0) == nil)
  }

  @Test func sizesThatWrapEndWithTheSection() {
    let table = table([Entry(name: "f", start: 0x1000, size: .max)])
    #expect(names(table, [0x8fff, 0x9000, .max]) == ["f", nil, nil])
  }
}
