import Foundation
import Testing

/// `wick symbolize` and `wick cache` from outside.
@Suite struct SymbolizeTests {
  private static let source = """
    static volatile int sink;
    static inline __attribute__((always_inline)) int inner(int x) {
      sink += x;
      return x * 3;
    }
    __attribute__((noinline)) int outer(int x) {
      return inner(x + 1) ^ 5;
    }
    int main(int argc, char **argv) { (void)argv; return outer(argc); }
    """

  /// Runs a shell line in a folder with the program `t` and a cache of its own.
  private func shell(_ line: String, _ folder: URL, input: String = "") throws -> Command.Outcome {
    let cache = folder.appending(path: "cache").path
    return try Command.run(
      "/bin/sh", ["-c", "export XDG_CACHE_HOME=\"$1\"; \(line)", Command.wick, cache],
      folder: folder, input: Data(input.utf8))
  }

  private func withProgram(_ body: (URL, _ inner: String) throws -> Void) throws {
    try Command.withFolder { folder in
      try Data(Self.source.utf8).write(to: folder.appending(path: "t.c"))
      let build = try shell("gcc -g -O2 -Wl,--build-id -o t t.c && nm t", folder)
      #expect(build.exitCode == 0, "\(build.errors)")
      let line = build.output.split(separator: "\n").first { $0.hasSuffix(" outer") }
      let outer = try #require(line?.split(separator: " ").first.map(String.init))
      // The first instruction whose line is in the inlined function, by the reference tool.
      let start = try #require(UInt64(outer, radix: 16))
      let all = (0..<16).map { String(start + $0, radix: 16) }
      let answers = try shell("addr2line -e t \(all.joined(separator: " "))", folder).output
      let index = answers.split(separator: "\n").firstIndex { $0.hasSuffix("t.c:3") }
      try body(folder, all[try #require(index)])
    }
  }

  @Test func chainIsPrintedInnermostFirst() throws {
    try withProgram { folder, inner in
      let expected = "inner\n\(folder.path)/t.c:3\nouter\n\(folder.path)/t.c:7\n\n"
      let arguments = try shell("\"$0\" symbolize -e t \(inner) 0x\(inner)", folder)
      #expect(arguments.exitCode == 0)
      #expect(arguments.errors.isEmpty)
      #expect(arguments.output == expected + expected)
      let input = try shell("\"$0\" symbolize -e t", folder, input: " 0x\(inner)\r\n\n\(inner)")
      #expect(input.output == expected + expected)
      let outside = try shell("\"$0\" symbolize -e t ffffffffffffffff 0", folder)
      #expect(outside.output == "??\n??:0\n\n??\n??:0\n\n")
      // The reference tool says the same.
      let reference = try shell("addr2line -f -i -e t \(inner)", folder)
      #expect(reference.output + "\n" == expected)
    }
  }

  @Test func jsonHasALineForEachAddress() throws {
    try withProgram { folder, inner in
      let outcome = try shell("\"$0\" symbolize --json -e t \(inner) 0", folder)
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.count == 2)
      let objects = try lines.map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }
      #expect(objects.map { $0?["address"] as? String } == ["0x\(inner)", "0x0"])
      let frames = try #require(objects.first??["frames"] as? [[String: Any]])
      #expect(frames.map { $0["function"] as? String } == ["inner", "outer"])
      #expect(frames.map { $0["line"] as? Int } == [3, 7])
      let unknown = try #require(objects.last??["frames"] as? [[String: Any]])
      #expect(unknown.count == 1 && unknown[0]["function"] is NSNull)
    }
  }

  @Test func answersComeBeforeTheInputEnds() throws {
    try withProgram { folder, inner in
      // Reads the answer to the first address before it gives the second.
      let outcome = try shell(
        """
        mkfifo in out
        "$0" symbolize -e t < in > out &
        exec 3> in 4< out
        echo \(inner) >&3
        read first <&4; echo "$first"
        echo 0 >&3; exec 3>&-
        cat <&4 | tail -3; wait
        """, folder)
      #expect(outcome.output == "inner\n??\n??:0\n\n")
    }
  }

  @Test func fileThatMayNotBeReadIsSaid() throws {
    try withProgram { folder, inner in
      // Root may read all files unless it gives that up.
      let outcome = try shell(
        """
        chmod 0 t
        [ "$(id -u)" != 0 ] || without="setpriv --bounding-set=-dac_override,-dac_read_search"
        $without "$0" symbolize -e t 0
        """, folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors == "wick: cannot read t: Permission denied\n")
    }
  }

  @Test func fileThatIsCutWhileItIsReadGetsOneLine() throws {
    try withProgram { folder, inner in
      // The first run fills the cache, the second has its file mapped when that is cut.
      let outcome = try shell(
        """
        "$0" symbolize -e t 0 > first
        mkfifo in out
        "$0" symbolize -e t < in > out &
        exec 3> in 4< out
        echo 0 >&3; read answer <&4
        for file in cache/wick/*.wicksymbols; do : > "$file"; done
        echo \(inner) >&3; exec 3>&-
        wait $!
        """, folder)
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.errors
          == "wick: a file became shorter while it was read, or its disk failed; try again\n")
    }
  }

  @Test func problemsGetOneLine() throws {
    try withProgram { folder, inner in
      let missing = try shell("\"$0\" symbolize -e missing 1", folder)
      #expect(missing.exitCode == 3)
      #expect(missing.errors == "wick: cannot read missing: No such file or directory\n")
      let foreign = try shell("\"$0\" symbolize -e t.c 1", folder)
      #expect(foreign.exitCode == 3)
      #expect(foreign.errors == "wick: t.c is not a 64-bit ELF program or library\n")
      let folderItself = try shell("\"$0\" symbolize -e . 1", folder)
      #expect(folderItself.errors == "wick: cannot read .: it is not a regular file\n")
      let input = try shell("\"$0\" symbolize -e t", folder, input: "\(inner)\nmain\n1\n")
      #expect(input.exitCode == 1)
      #expect(input.output.hasPrefix("inner\n"))
      #expect(input.errors == "wick: standard input: 'main' is no hexadecimal address\n")
    }
  }

  @Test func cacheIsUsedShownAndCleared() throws {
    try withProgram { folder, inner in
      let cache = folder.appending(path: "cache/wick")
      #expect(try shell("\"$0\" cache", folder).output == "\(cache.path): 0 programs, 0.0 MB\n")
      let first = try shell("\"$0\" symbolize -e t \(inner)", folder)
      let names = try Command.names(in: cache)
      #expect(names.count == 1)
      #expect(try shell("\"$0\" cache", folder).output == "\(cache.path): 1 program, 0.0 MB\n")
      // The debug information is not needed any more.
      let again = try shell("strip -s t; \"$0\" symbolize -e t \(inner)", folder)
      #expect(again.output == first.output)
      let without = try shell("\"$0\" symbolize --no-cache -e t \(inner)", folder)
      #expect(without.output != first.output)
      #expect(try shell("\"$0\" cache clear", folder).output.hasPrefix("\(cache.path): removed 1"))
      #expect(try Command.names(in: cache).isEmpty)
      #expect(try shell("\"$0\" symbolize -e t \(inner)", folder).output == without.output)
      let homeless = try shell("unset HOME XDG_CACHE_HOME; \"$0\" cache", folder)
      #expect(homeless.exitCode == 3)
      #expect(homeless.complaints.count == 1)
    }
  }

  /// What a file says must not steer a terminal, nor look like another answer.
  @Test func controlCharactersOfTheFileAreReplaced() throws {
    try withProgram { folder, inner in
      // Names of the same lengths: of a function, the source, and its folder's last letter.
      var bytes = try Data(contentsOf: folder.appending(path: "t"))
      let changes: [(String, [UInt8])] = [
        ("inner\0", [0x1b, 0x5d, 0x30, 0x3b, 0x07, 0]), ("t.c\0", [0x0a, 0xc2, 0x9b, 0]),
      ]
      for (text, changed) in changes {
        while let range = bytes.range(of: Data(text.utf8)) {
          bytes.replaceSubrange(range, with: changed)
        }
      }
      try bytes.write(to: folder.appending(path: "t"))
      let outcome = try shell("\"$0\" symbolize --no-cache -e t \(inner)", folder)
      let path = "\(folder.path)/\u{fffd}\u{fffd}"
      #expect(outcome.output == "\u{fffd}]0;\u{fffd}\n\(path):3\nouter\n\(path):7\n\n")
    }
  }

  @Test func debugFilesThatDoNotFitAreExplained() throws {
    try withProgram { folder, inner in
      let made = try shell(
        """
        objcopy --only-keep-debug t t.debug; strip -s t; objcopy --add-gnu-debuglink=t.debug t
        mkdir other; echo 'int main(void) { return 1; }' > u.c
        gcc -g -Wl,--build-id -o u u.c; objcopy --only-keep-debug u other/t.debug
        """, folder)
      try #require(made.exitCode == 0, "\(made.errors)")
      let fits = try shell("\"$0\" symbolize --no-cache -v -e t \(inner)", folder)
      #expect(fits.errors.contains("and from t.debug; "))
      #expect(fits.errors.contains(" with 1 unit, "))
      let other = try shell(
        "mv t.debug elsewhere; \"$0\" symbolize --no-cache -v --debug-dir other -e t \(inner)",
        folder)
      #expect(other.errors.contains("not from other/t.debug, as it is of another build; "))
      let foreign = try shell(
        "echo > t.debug; \"$0\" symbolize --no-cache -v -e t \(inner)", folder)
      #expect(foreign.errors.contains("not from t.debug, which cannot be read; "))
    }
  }

  @Test func debugFoldersThatAreNotThereAreSaid() throws {
    try withProgram { folder, inner in
      let outcome = try shell(
        "\"$0\" symbolize --debug-dir nowhere --debug-dir t.c --debug-dir . -e t \(inner)", folder)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.hasPrefix("inner\n"))
      #expect(
        outcome.errors
          == "wick: '--debug-dir nowhere' is of no use: No such file or directory\n"
          + "wick: '--debug-dir t.c' is of no use: it is no folder\n")
    }
  }

  @Test func rawNamesAreThoseOfTheFile() throws {
    try Command.withFolder { folder in
      try Data("struct S { int f(int); }; int S::f(int x) { return x; } int main() {}".utf8)
        .write(to: folder.appending(path: "t.cc"))
      #expect(try shell("g++ -g -o t t.cc", folder).exitCode == 0)
      let address = "$(nm t | awk '/_ZN1S1fEi/ { print $1 }')"
      let place = "\(folder.path)/t.cc:1\n\n"
      let plain = try shell("\"$0\" symbolize -e t \(address)", folder)
      #expect(plain.output == "S::f\n\(place)")
      let raw = try shell("\"$0\" symbolize --raw-names -e t \(address)", folder)
      #expect(raw.output == "_ZN1S1fEi\n\(place)")
    }
  }
}
