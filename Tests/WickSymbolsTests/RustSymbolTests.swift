import Foundation
import Testing

@testable import WickSymbols

/// Rust's v0 names, of a program made by rustc 1.95:
/// `rustc -C symbol-mangling-version=v0 -C opt-level=0 names.rs`, then `nm` and every fourth.
@Suite struct RustSymbolTests {
  private func symbols() throws -> [String] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/RustNames/names.txt").standardized
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func namesAreThoseOfLLVM() throws {
    let symbols = try symbols()
    #expect(symbols.count > 300)
    let theirs = try ToolRun.output(["llvm-cxxfilt"] + symbols).split(separator: "\n")
    try #require(theirs.count == symbols.count)
    for (symbol, name) in zip(symbols, theirs) {
      // It writes letters outside ASCII as numbers.
      let expected = String(name).replacingOccurrences(of: "\\u{df}", with: "ß")
      #expect(RustSymbol.name(of: symbol) == expected, "\(symbol)")
      #expect(Demangler.name(of: "\(symbol).llvm.1234567") == expected)
    }
  }

  @Test(arguments: [
    "_R", "_RN", "_RNvC1a", "_RB_", "_RNvB_1a", "_R0NvC1a1b", "_RINvC1a1bB_E",
    "_RNvC99999999999a1b",
    "_RIC1aRRRRRRRRB3_E", "_RNvCsZZZZZZZZZZZZZZ_1a1b", "_RNvCu3___1b", "_RIC1aKcffffffff_E",
  ])
  func malformedNamesStay(symbol: String) {
    #expect(RustSymbol.name(of: symbol) == nil)
    #expect(Demangler.name(of: symbol) == symbol)
  }

  @Test func growthIsBounded() {
    // Each type is a pair of the one before.
    var symbol = "_RIC1aTuuE"
    for _ in 0..<60 { symbol += "TB6_B6_E" }
    symbol += "E"
    #expect((RustSymbol.name(of: symbol)?.utf8.count ?? 0) < 10_000)
    #expect(RustSymbol.name(of: "_RIC1a" + String(repeating: "R", count: 100_000) + "uE") == nil)
  }

  @Test func damagedNamesDoNoHarm() throws {
    var random = SystemRandomNumberGenerator()
    let letters = Array("_RNvCMXYITFDBKLGSu0129aszZpEjk".utf8)
    for symbol in try symbols() {
      for _ in 0..<40 {
        var bytes = Array(symbol.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: 2..<bytes.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: bytes[place] = letters.randomElement(using: &random) ?? 0
          case 1 where bytes.count > 8: bytes.remove(at: place)
          default: bytes.insert(letters.randomElement(using: &random) ?? 0, at: place)
          }
        }
        let name = RustSymbol.name(of: String(decoding: bytes, as: UTF8.self))
        #expect((name?.utf8.count ?? 0) <= 8192)
      }
    }
  }
}
