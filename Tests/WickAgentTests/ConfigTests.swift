import Foundation
import Testing

/// How the agent understands the variable WICK.
@Suite struct ConfigTests {
  /// What each text is taken for, by `Tests/Fixtures/Agent/config.c`.
  private func parse(_ texts: [String]) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = folder.appending(path: "config").path
    let root = UnwindProgram.root.path
    let agent = "\(root)/Sources/InProcess/CWickAgent"
    let built = try UnwindProgram.run(
      "clang",
      [
        "-std=c2x", "-D_GNU_SOURCE", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-Wall",
        "-Wextra", "-Werror", "-I\(agent)", "-I\(agent)/include",
        "\(root)/Tests/Fixtures/Agent/config.c",
      ] + (try UnwindProgram.agentSources { $0 == "config.c" }) + ["-o", program])
    try #require(built.status == 0, "\(built.errors)")
    let output = try UnwindProgram.run(program, texts)
    try #require(output.status == 0, "\(output.errors)")
    return output.text.split(separator: "\n").map(String.init)
  }

  private static let usual =
    "out=- hz=0 engine=0 duration=0 alloc=0 arc=0 mmap=0 children=1 idle=0"

  @Test func partsAreUnderstoodInAnyOrder() throws {
    let texts = [
      ("on", Self.usual), ("", Self.usual),
      ("idle", Self.usual.replacing("idle=0", with: "idle=1")),
      (
        "out=/x%p,hz=997,engine=timer,duration=3,children=off,alloc=64k,arc=on,mmap=on",
        "out=/x%p hz=997 engine=3 duration=3000 alloc=65536 arc=1 mmap=1 children=0 idle=0"
      ),
      (
        "mmap=off,alloc=all,out=y,arc=off",
        "out=y hz=0 engine=0 duration=0 alloc=1 arc=0 mmap=0 children=1 idle=0"
      ),
    ]
    #expect(try parse(texts.map(\.0)) == texts.map(\.1))
  }

  @Test func sizesHaveUnits() throws {
    let sizes: [(String, UInt64)] = [
      ("on", 524_288), ("off", 0), ("all", 1), ("1", 1), ("4096", 4096), ("64k", 65_536),
      ("64K", 65_536), ("3m", 3 << 20), ("2M", 2 << 20), ("1g", 1 << 30), ("1024g", 1 << 40),
      ("1024G", 1 << 40), ("1048576m", 1 << 40), ("1099511627776", 1 << 40),
    ]
    #expect(
      try parse(sizes.map { "alloc=\($0.0)" })
        == sizes.map { Self.usual.replacing("alloc=0", with: "alloc=\($0.1)") })
  }

  @Test func whatIsNoValueIsRefused() throws {
    let texts = [
      "alloc", "alloc=", "alloc=0", "alloc=0k", "alloc=k", "alloc=-1", "alloc=+1", "alloc= 1",
      "alloc=1.5m", "alloc=64kb", "alloc=64kk", "alloc=64t", "alloc=1025g", "alloc=1099511627777",
      "alloc=1048577m", "alloc=18446744073709551616", "alloc=17179869184g", "alloc=ALL",
      "arc", "arc=", "arc=1", "arc=yes", "mmap=", "mmap=0", "mmap=on ", "allocs=on", "hz=0",
      "hz=10001", "duration=0", "children=maybe", "alloc=64k,,arc=on",
    ]
    let answers = try parse(texts)
    #expect(answers.count == texts.count)
    for (text, answer) in zip(texts, answers) { #expect(answer == "refused", "\(text)") }
  }
}
