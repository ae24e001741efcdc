import Foundation
import WickProfile
import WickRecording
import WickSymbols

/// How long names and lines take for recordings of many samples, addresses and modules.
struct Scale {
  var moduleCount = 200
  var sampleCounts = [100_000, 1_000_000, 10_000_000]
  var addressCounts = [10_000, 100_000, 1_000_000]

  func report() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wick-scale-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let libraries = try makeLibraries(in: folder)
    print("\(moduleCount) modules of \(Self.functionCount) functions with lines; seconds")
    print("   samples  addresses        MB    read   names and lines")
    for addressCount in addressCounts {
      for sampleCount in sampleCounts where sampleCount * 12 >= addressCount {
        let file = folder.appending(path: "large.wick")
        try LargeRecording.make(
          sampleCount: sampleCount, addressCount: addressCount, libraries: libraries
        ).write(to: file)
        let mapped = try MappedFile(path: file.path)
        var profile: Profile?
        let reading = try ContinuousClock().measure {
          profile = try Recording.profile(of: mapped.bytes)
        }
        guard let profile, profile.samples.count == sampleCount else {
          throw BenchmarkError.unexpected("the recording has other samples than were written")
        }
        // Without a cache: each module is read from its file.
        var symbolicator = Symbolicator()
        var named: Profile?
        let naming = ContinuousClock().measure { named = symbolicator.symbolicate(profile) }
        guard let named, named.frames.contains(where: { $0.line > 0 }) else {
          throw BenchmarkError.unexpected("no line was found")
        }
        print(
          String(
            format: "%10d %10d %9.1f %7.2f %17.2f", sampleCount, addressCount,
            Double(mapped.bytes.byteCount) / 1e6, reading / .seconds(1), naming / .seconds(1)))
      }
    }
  }

  private static let functionCount = 400

  /// Compiles one library, and links it as many times with a build-id of its own.
  private func makeLibraries(in folder: URL) throws -> [LargeRecording.Library] {
    var source = "static inline int step(int a, int b) {\n  return a * 31 + b;\n}\n"
    for number in 0..<Self.functionCount {
      source += """
        int work_\(number)(const int *data, int count) {
          int sum = \(number);
          for (int i = 0; i < count; i++) {
            sum = step(sum, data[i]);
            if (sum & \(number | 1)) {
              sum = step(data[i], sum) / \(number + 1);
            }
          }
          return sum;
        }

        """
    }
    let file = folder.appending(path: "work.c").path
    try source.write(toFile: file, atomically: true, encoding: .utf8)
    let object = folder.appending(path: "work.o").path
    _ = try Command.run(["clang", "-O2", "-g", "-fPIC", "-c", "-o", object, file])
    return try (0..<moduleCount).map { number in
      let path = folder.appending(path: "libwork\(number).so").path
      let buildID = (0..<20).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 2)) + $0) }
      let hex = buildID.map { String(format: "%02x", $0) }.joined()
      _ = try Command.run(["clang", "-shared", "-o", path, object, "-Wl,--build-id=0x\(hex)"])
      let table = try Command.output(["readelf", "-SW", path])
      guard let line = table.split(separator: "\n").first(where: { $0.contains(" .text ") }),
        let fields = line.split(separator: "]").last?.split(separator: " "), fields.count > 4,
        let start = UInt64(fields[2], radix: 16), let byteCount = UInt64(fields[4], radix: 16)
      else { throw BenchmarkError.unexpected("\(path) has no .text") }
      return LargeRecording.Library(
        path: path, buildID: buildID, code: start..<start + byteCount)
    }
  }
}
