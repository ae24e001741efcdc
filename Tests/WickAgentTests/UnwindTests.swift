import Foundation
import Testing

/// The unwinder: its tables against readelf's, its walks against libunwind's, and bad input.
@Suite(.serialized) struct UnwindTests {
  /// What of `swiftc -print-target-info` is needed.
  private struct TargetInfo: Decodable {
    struct Paths: Decodable {
      let runtimeLibraryPaths: [String]
    }
    let paths: Paths
  }

  /// Where the toolchain's libswiftCore is, for the loader to find it.
  private static func swiftLibraryPath() throws -> String {
    let output = try UnwindProgram.run("swiftc", ["-print-target-info"])
    let info = try JSONDecoder().decode(TargetInfo.self, from: Data(output.text.utf8))
    return info.paths.runtimeLibraryPaths.joined(separator: ":")
  }

  /// Numbers in a line "name value name value …".
  private static func counts(_ text: String) -> [String: Int] {
    let words = text.split { $0 == " " || $0 == "\n" }
    var counts: [String: Int] = [:]
    for (name, value) in zip(words, words.dropFirst()) { counts[String(name)] = Int(value) }
    return counts
  }

  @Test(arguments: [
    ("libc.so.6", 20_000), ("libsqlite3.so.0", 20_000), ("libstdc++.so.6", 20_000),
    ("libswiftCore.so", 50_000), ("ld-linux-x86-64.so.2", 1_000),
  ])
  func tableIsThatOfReadelf(library: String, leastRows: Int) throws {
    let program = try UnwindProgram("table-rows")
    defer { program.remove() }
    let libraryPath = try Self.swiftLibraryPath()
    let output = try program.run([library], libraryPath: libraryPath)
    #expect(output.status == 0, "\(output.errors)")
    let path = try #require(output.text.split(separator: "\n").first?.split(separator: " ").last)
    let dump = try UnwindProgram.run("readelf", ["-W", "--debug-dump=frames-interp", String(path)])
    // Its status is not zero where it looked for separate debug information in vain.
    let ours = UnwindRows(program: output.text).rows
    let theirs = UnwindRows(readelf: dump.text).rows
    #expect(ours.count >= leastRows)
    #expect(ours.count == theirs.count)
    let differing = zip(ours, theirs).first { $0 != $1 }
    #expect(differing == nil, "\(String(describing: differing))")
    // Some hand-written instructions of libc: setjmp, vfork, longjmp.
    #expect(ours.count { $0.cfa == "unknown" } <= 5)

    let linear = try program.run([library, "linear"], libraryPath: libraryPath)
    #expect(linear.status == 0, "\(linear.errors)")
    #expect(linear.text == output.text)
  }

  @Test(arguments: [["sample", "2"], ["step", "100000"]])
  func walksAreThoseOfLibunwind(arguments: [String]) throws {
    let program = try UnwindProgram("walk-compare", libraries: ["unwind", "sqlite3", "pthread"])
    defer { program.remove() }
    let output = try program.run(arguments)
    let counts = Self.counts(output.text)
    let samples = try #require(counts["samples"], "\(output.errors)")
    #expect(samples >= 300)
    #expect(counts["equal"] == samples, "\(output.errors)")
    #expect(counts["complete"] == samples, "\(output.errors)")
    #expect(counts["same"] == samples, "\(output.errors)")
    #expect(counts["frame-pointer-steps"] == 0)
    #expect(try #require(counts["longest"]) > 20)
    #expect(output.status == 0)
  }

  @Test func knownWalks() throws {
    let program = try UnwindProgram("walk-cases")
    defer { program.remove() }
    let output = try program.run([])
    #expect(output.status == 0, "\(output.errors)")
    let lines = output.text.split(separator: "\n")
    #expect(lines.count == 27)
    for line in lines {
      #expect(line.hasSuffix(" ok"), "\(line)\n\(output.errors)")
    }
  }

  @Test(arguments: ["libz.so.1", "libc.so.6"])
  func damagedTablesDoNoHarm(library: String) throws {
    let program = try UnwindProgram("table-mutate")
    defer { program.remove() }
    let output = try program.run([library, "2000", "3"])
    #expect(output.status == 0, "\(output.errors)")
    let counts = Self.counts(output.text)
    #expect(counts["mutations"] == 2000)
    #expect(try #require(counts["tables"]) > 1500)
    #expect(try #require(counts["frames"]) > 10_000)
  }
}
