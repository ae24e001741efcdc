import Foundation

/// Runs a program of the machine; the tests' oracles and compilers.
enum ToolRun {
  struct Failure: Error {
    var command: String
    var status: Int32
  }

  /// What a program, found on PATH, prints.
  static func output(_ arguments: [String], input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    let inputPipe = Pipe()
    process.standardOutput = output
    process.standardInput = inputPipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let feeder = Thread {
      try? inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
      try? inputPipe.fileHandleForWriting.close()
    }
    feeder.start()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(
        command: arguments.joined(separator: " "), status: process.terminationStatus)
    }
    return String(decoding: data, as: UTF8.self)
  }

  static func lines(_ arguments: [String], input: String = "") throws -> [Substring] {
    try output(arguments, input: input).split(separator: "\n")
  }

  /// A program's path, or nil where it is not on PATH.
  static func find(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for folder in path.split(separator: ":") {
      let candidate = "\(folder)/\(name)"
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    return nil
  }
}

/// A folder that goes away with the value.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "wick-symbols-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Compiles C and returns the program's path.
  func compile(_ source: String, name: String = "program", flags: [String] = []) throws -> String {
    let file = "\(path)/\(name).c"
    try source.write(toFile: file, atomically: true, encoding: .utf8)
    let program = "\(path)/\(name)"
    _ = try ToolRun.output(["clang", "-O1", "-o", program, file, "-Wl,--build-id"] + flags)
    return program
  }
}
