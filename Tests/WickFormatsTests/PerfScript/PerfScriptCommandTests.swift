import Foundation
import Testing
import WickFormats
import WickProfile

/// What the `perf` of this machine prints.
@Suite struct PerfScriptCommandTests {
  static let isAvailable =
    (try? run(["record", "-e", "cpu-clock", "-o", "/dev/null", "true"])) != nil

  private struct CommandFailed: Error {}

  private static func run(_ arguments: [String], in folder: URL? = nil) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["perf"] + arguments
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CommandFailed() }
    return String(decoding: output, as: UTF8.self)
  }

  @Test(.enabled(if: isAvailable)) func everySampleIsCounted() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wick-perfscript-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Self.run(
      [
        "record", "-e", "cpu-clock", "-F", "999", "-g", "-o", "perf.data", "--", "sh", "-c",
        "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; ls -R /usr/include >ls.txt",
      ], in: folder)
    // One line a sample.
    let lines = try Self.run(["script", "-i", "perf.data", "-F", "period", "-G"], in: folder)
    let periods = lines.split(separator: "\n").compactMap {
      Int64($0.trimmingCharacters(in: .whitespaces))
    }
    try #require(periods.count > 10)
    let fields = "comm,pid,tid,time,period,event,ip,sym,symoff,dso"
    for arguments in [
      [], ["--header"], ["--no-inline"], ["--ns"], ["-F", "+pid"], ["-F", "-symoff"], ["-G"],
      ["-F", fields], ["-F", "comm,tid,period,event,ip,sym,dso"],
      ["-F", "comm,tid,time,ip,sym,dso,event,period,srcline"],
    ] {
      let text = try Self.run(["script", "-i", "perf.data"] + arguments, in: folder)
      #expect(recognizesPerfScript(text), "\(arguments)")
      let profile = try readPerfScript(text)
      #expect(profile.origin.warnings == [], "\(arguments)")
      #expect(profile.samples.count == periods.count, "\(arguments)")
      #expect(profile.total(of: 0) == Int64(periods.count), "\(arguments)")
      #expect(profile.columns[1] == periods, "\(arguments)")
      #expect(profile.valueTypes[1].unit == "nanoseconds")
      let names = Set(profile.frames.map(\.function))
      #expect(names.isSuperset(of: ["sh", "ls"]))
      #expect(!names.contains { $0.contains("+0x") })
      #expect(profile.modules.contains { $0.path.contains("libc.so") })
      // perf's own count of each program's samples.
      for comm in ["sh", "ls"] {
        let count = text.split(separator: "\n").count {
          $0.trimmingPrefix { $0 == " " }.hasPrefix("\(comm) ")
        }
        let rows = profile.paths.count { $0.first == comm }
        #expect(rows == count, "\(arguments)")
      }
    }
  }
}
