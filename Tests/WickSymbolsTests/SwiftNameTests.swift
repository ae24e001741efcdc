import Foundation
import Testing

@testable import WickSymbols

@Suite struct SwiftNameTests {
  @Test(arguments: [
    ("(2) suspend resume partial function for a.leaf(Swift.Int) async -> Swift.Int", "leaf(_:)"),
    ("(1) await resume partial function for a.mid(x: Swift.Int) async -> ()", "mid(x:)"),
    (
      "closure #1 () async throws -> Swift.Int in closure #2 (inout "
        + "Swift.ThrowingTaskGroup<Swift.Int, Swift.Error>) async throws -> () in "
        + "main.route(Swift.Int) async throws -> Swift.Int",
      "closure #1 in closure #2 in route(_:)"
    ),
    (
      "partial apply forwarder for closure #1 () -> Swift.Int in app.route(Swift.Int) -> ()",
      "partial apply for closure #1 in route(_:)"
    ),
    (
      "function signature specialization <Arg[0] = Owned To Guaranteed> of generic "
        + "specialization <Swift.Int> of app.middleware<A where A: Swift.Hashable>(A) -> ()",
      "specialized middleware<A>(_:)"
    ),
    (
      "static Swift.UInt.| infix(Swift.UInt, Swift.UInt) -> Swift.UInt", "static UInt.| infix(_:_:)"
    ),
    (
      "app.Server.(handle in _9306D8E0CB3AD51)(request: app.Request, (Swift.Int) -> ()) -> ()",
      "Server.handle(request:_:)"
    ),
    ("app.Store.rows.getter : Swift.Array<app.Row>", "Store.rows.getter"),
    ("app.main() -> ()", "main()"),
    (
      "outlined destroy of Swift.Optional<Swift.Dictionary<Swift.String, Swift.Array<app.Row>>>",
      "outlined destroy of [String : [Row]]?"
    ),
    ("", ""),
    ("not a name at all", "not a name at all"),
  ])
  func fullNameIsShortened(full: String, short: String) {
    #expect(SwiftName.simplified(full) == short)
  }

  @Test func damagedNamesComeBackInBoundedTime() {
    let full = "closure #1 (Swift.Optional<app.Row>) -> () in app.S.(f in _1)<A where A: P>(x: A)"
    for end in full.utf8.indices {
      _ = SwiftName.simplified(String(full.utf8[..<end]) ?? "")
      _ = SwiftName.simplified(String(full.utf8[end...]) ?? "")
    }
    let deep = String(repeating: "closure #1 () -> () in ", count: 3000)
    #expect(SwiftName.simplified(deep).hasPrefix("closure #1 in closure #1 in"))
    let nested = String(repeating: "Swift.Optional<", count: 3000)
    #expect(!SwiftName.simplified("outlined copy of " + nested).isEmpty)
    #expect(!SwiftName.simplified(String(repeating: "(", count: 9000)).isEmpty)
  }

  /// The toolchain's demangler, which servers do not have, is the judge.
  @Test(.enabled(if: ToolRun.find("swift-demangle") != nil, "no swift-demangle on PATH"))
  func namesOfTheSwiftLibrariesAgreeWithTheToolchain() throws {
    let folder = URL(filePath: try RealFiles.path("libswiftCore.so")).deletingLastPathComponent()
    var mangled: Set<String> = []
    for library in [
      "libswiftCore", "libswift_Concurrency", "libFoundation", "libFoundationEssentials",
      "libFoundationInternationalization", "libswift_StringProcessing",
    ] {
      let file = folder.appending(path: library + ".so").path()
      guard FileManager.default.fileExists(atPath: file) else { continue }
      let image = try RealFiles.image(file)
      for symbol in image.symbols where symbol.isFunction {
        let name = image.names[symbol.name]
        if name.hasPrefix("$s"), !name.hasSuffix("@plt") { mangled.insert(name) }
      }
    }
    #expect(mangled.count > 20_000)
    let names = mangled.sorted()
    let wanted = try ToolRun.lines(
      ["swift-demangle", "--compact", "--simplified"],
      input: names.joined(separator: "\n") + "\n")
    try #require(wanted.count == names.count)
    let differing = zip(names, wanted).filter { Demangler.swiftName(of: $0) ?? "" != $1 }
    let share = 1 - Double(differing.count) / Double(names.count)
    print("short Swift names: \(share * 100) % of \(names.count) agree")
    for (name, wanted) in differing.prefix(8) {
      print("  ours \(Demangler.swiftName(of: name) ?? "-"), theirs \(wanted)")
    }
    #expect(share >= 0.999)
  }
}
