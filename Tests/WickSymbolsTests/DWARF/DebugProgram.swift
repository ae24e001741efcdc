import Foundation

@testable import WickSymbols

/// A program with inlined calls three deep, and what is known about it.
struct DebugProgram {
  static let source = """
    #include <stdio.h>
    static volatile int sink;
    static inline __attribute__((always_inline)) int inner(int x) {
      sink += x;
      return x * 3;
    }
    static inline __attribute__((always_inline)) int middle(int x) {
      int y = inner(x + 1);
      return y + inner(y);
    }
    __attribute__((noinline)) int outer(int x) {
      int z = middle(x);
      return z ^ 5;
    }
    int main(int argc, char **argv) {
      (void)argv;
      printf("%d\\n", outer(argc));
      return 0;
    }
    """

  /// Chains that some instruction of `outer` has, innermost first.
  static let chains: Set<[String]> = [
    ["inner:4", "middle:8", "outer:12"], ["inner:4", "middle:9", "outer:12"],
  ]

  let folder: TemporaryFolder
  let path: String
  /// Addresses of `outer`, noted before anything was stripped.
  let outer: Range<UInt64>

  /// Compiles the program.
  init(_ compiler: String, _ flags: [String]) throws {
    folder = try TemporaryFolder()
    try Self.source.write(toFile: "\(folder.path)/t.c", atomically: true, encoding: .utf8)
    path = "\(folder.path)/t"
    // In the folder, where the compiler leaves .dwo files.
    let command =
      "cd '\(folder.path)' && \(compiler) -O2 -Wl,--build-id \(flags.joined(separator: " "))"
      + " -o t t.c"
    _ = try ToolRun.output(["sh", "-c", command])
    outer = try Self.range(of: "outer", in: path)
  }

  /// Addresses of a function, as `nm` says.
  static func range(of function: String, in path: String) throws -> Range<UInt64> {
    for line in try ToolRun.lines(["nm", "-S", path]) {
      let words = line.split(separator: " ")
      guard words.count == 4, words[3] == function, let start = UInt64(words[0], radix: 16),
        let count = UInt64(words[1], radix: 16)
      else { continue }
      return start..<start + count
    }
    throw CocoaError(.fileReadUnknown)
  }

  /// Runs a shell command in the program's folder.
  func run(_ command: String) throws {
    _ = try ToolRun.output(["sh", "-ec", "cd '\(folder.path)'; \(command)"])
  }

  /// Chains of all addresses of `outer`: names and line numbers.
  func chains(of path: String? = nil, debugFolders: [String] = []) throws -> Set<[String]> {
    var symbols = try FileSymbols(path: path ?? self.path, debugFolders: debugFolders)
    return Set(
      outer.map { address in
        symbols.locations(at: address).map { "\($0.function ?? "??"):\($0.line)" }
      })
  }

  /// Source files of all addresses of `outer`.
  func files(debugFolders: [String] = []) throws -> Set<String?> {
    var symbols = try FileSymbols(path: path, debugFolders: debugFolders)
    return Set(outer.flatMap { symbols.locations(at: $0).map(\.file) })
  }

  var buildID: String {
    get throws {
      RealFiles.buildID(try RealFiles.bytes(path)).map { String(format: "%02x", $0) }.joined()
    }
  }
}
