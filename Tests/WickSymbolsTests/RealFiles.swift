import Foundation

@testable import WickSymbols

/// Binaries that are there wherever these tests run, and how the tests read them.
enum RealFiles {
  static let libraries = ["libc.so.6", "libswiftCore.so", "libstdc++.so.6"]

  /// This process's memory map, a line per mapping.
  static func maps() throws -> [Substring] {
    // A file without a size: reading it by its size would cut it.
    let file = FileHandle(forReadingAtPath: "/proc/self/maps")
    let text = String(decoding: try file?.readToEnd() ?? Data(), as: UTF8.self)
    return text.split(separator: "\n")
  }

  /// The file that this process has mapped under a name.
  static func path(_ library: String) throws -> String {
    let line = try maps().first { $0.contains("/\(library)") }
    guard let path = line?.split(separator: " ").last else { throw CocoaError(.fileNoSuchFile) }
    return String(path)
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  /// Reads a file whatever its build-id.
  static func image(_ path: String) throws -> ElfImage {
    let bytes = try bytes(path)
    return try image(bytes)
  }

  static func image(_ bytes: [UInt8]) throws -> ElfImage {
    try ElfImage(bytes.span.bytes, buildID: buildID(bytes))
  }

  static func buildID(_ bytes: [UInt8]) -> [UInt8] {
    do {
      // No build-id is one byte of zero.
      _ = try ElfImage(bytes.span.bytes, buildID: [0])
    } catch ElfImage.Failure.buildIDDiffers(let found) {
      return found
    } catch {}
    return []
  }

  static func table(_ path: String) throws -> SymbolTable {
    let image = try image(path)
    return SymbolTable(
      image.symbols, names: image.names, code: image.code, functions: image.functions)
  }
}
