import Testing

@testable import WickRender

@Suite struct SourceTextTests {
  private func lines(_ text: String) -> [String?] {
    let source = SourceText(Array(text.utf8))
    return (1...UInt32(source.lineCount + 1)).map { source.line($0) }
  }

  @Test(arguments: ["a\nb", "a\nb\n", "a\r\nb\r\n"]) func linesEndHoweverTheyDo(text: String) {
    #expect(lines(text) == ["a", "b", nil])
  }

  @Test func emptyLinesAreLines() {
    #expect(lines("\n\nx\n\n") == ["", "", "x", "", nil])
    #expect(SourceText([]).lineCount == 0)
    #expect(SourceText([]).line(0) == nil)
    #expect(SourceText([]).line(1) == nil)
    #expect(SourceText([0x61]).line(.max) == nil)
  }

  @Test func tabsReachTheNextStop() {
    #expect(lines("\tx\ty") == ["        x       y", nil])
  }

  @Test func whatIsNotUTF8IsRepaired() {
    #expect(SourceText([0x61, 0xff, 0x62, 0x0a]).line(1) == "a\u{fffd}b")
  }

  @Test func endlessLinesAreCut() throws {
    let long = SourceText(Array(repeating: UInt8(ascii: "x"), count: 1 << 20))
    #expect(try #require(long.line(1)).count == 1001)
    let wide = SourceText(Array(String(repeating: "🚀", count: 3000).utf8))
    #expect(try #require(wide.line(1)).count == 1001)
    let tabs = SourceText(Array(repeating: UInt8(ascii: "\t"), count: 1 << 20))
    #expect(try #require(tabs.line(1)).count == 1001)
  }
}
