import Foundation
import Testing

/// The agent on the other architecture: all of it compiled, its unwinder run by an emulator.
@Suite(.serialized) struct Aarch64Tests {
  @Test(arguments: [[], ["-DWICK_INTERPOSE=1"]])
  func wholeAgentIsCompiledAndNeedsOnlyLibc(flags: [String]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let library = folder.appending(path: "libwick.so").path
    let result = try UnwindProgram.run(
      "clang",
      UnwindProgram.crossFlags + flags
        + ["-DWICK_PRELOAD=1", "-fPIC", "-shared", "-Wl,--no-undefined"]
        + (try UnwindProgram.agentSources()) + ["-o", library])
    #expect(result.status == 0, "\(result.errors)")
    let needed = try UnwindProgram.run("readelf", ["-W", "-d", library]).text
      .split(separator: "\n").filter { $0.contains("(NEEDED)") }
    #expect(needed.count == 1)
    #expect(needed.first?.contains("libc.so.6") == true)
  }

  @Test(arguments: [("libc.so.6", 12_000), ("ld-linux-aarch64.so.1", 1000), ("libm.so.6", 2000)])
  func tableIsThatOfReadelf(library: String, leastRows: Int) throws {
    let program = try UnwindProgram(aarch64: "table-rows")
    defer { program.remove() }
    let output = try program.emulate([library])
    #expect(output.status == 0, "\(output.errors)")
    let dump = try UnwindProgram.run(
      "readelf", ["-W", "--debug-dump=frames-interp", "/usr/aarch64-linux-gnu/lib/\(library)"])
    let ours = UnwindRows(program: output.text).rows
    let theirs = UnwindRows(readelf: dump.text, registers: .aarch64).rows
    #expect(ours.count >= leastRows)
    var rules: [UInt: UnwindRows.Row] = [:]
    for row in ours { rules[row.address] = row }
    var (ends, large, foreign) = (0, 0, 0)
    var latest = UnwindRows.Row(address: 0, cfa: "none", fp: "-", other: "-")
    for row in theirs {
      latest = rules[row.address] ?? latest
      if latest.cfa == "end" {
        // readelf has one letter for an undefined return address and for one that is in x30.
        #expect(row.other == "u")
        ends += 1
      } else if latest.cfa == "unknown", row.fp.hasPrefix("c-"), row.cfa.hasPrefix("sp+") {
        // Frames of more than 16 KiB without a frame pointer: too far for a rule.
        #expect(try #require(Int(row.cfa.dropFirst(3))) > 16_384)
        large += 1
      } else if latest.cfa == "none", row.cfa == "sp+0" {
        // vfork has the return address in x15, and says so in its CIE.
        foreign += 1
      } else if latest.cfa != "unknown" || row.cfa != "unknown" {
        #expect(
          latest.cfa == row.cfa && latest.fp == row.fp && latest.other == row.other,
          "\(String(row.address, radix: 16)): \(latest) is not \(row)")
      }
    }
    #expect(theirs.count >= ours.count)
    #expect(ends <= 10)
    #expect(large <= 5)
    #expect(foreign <= 2)
  }

  @Test(
    arguments: ["-fomit-frame-pointer", "-fno-omit-frame-pointer"], ["calls", "signal", "deep"])
  func walksShowWhoCanCallWhom(flag: String, mode: String) throws {
    let program = try UnwindProgram(
      aarch64: "walk-known", flags: [flag, "-DWICK_TEST_WITHOUT_READV=1"])
    defer { program.remove() }
    let output = try program.emulate([mode, "2"])
    #expect(output.status == 0, "\(output.errors)")
    var counts: [String: Int] = [:]
    let words = output.text.split { " \n".contains($0) }
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      counts[String(words[index])] = Int(words[index + 1])
    }
    let samples = try #require(counts["samples"])
    #expect(samples > 50)
    #expect(counts["right"] == samples)
    #expect(counts["truncated"] == 0, "\(output.errors)")
    #expect(mode == "deep" || counts["complete"] == samples)
    #expect(mode != "deep" || counts["deep"] ?? 0 > samples / 2)
  }

  @Test func damagedTablesDoNoHarm() throws {
    let program = try UnwindProgram(aarch64: "table-mutate")
    defer { program.remove() }
    let output = try program.emulate(["libc.so.6", "300", "3"])
    #expect(output.status == 0, "\(output.errors)")
    #expect(output.text.contains("mutations 300"))
  }
}
