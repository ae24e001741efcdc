import Foundation
import Glibc
import Testing

/// Sources of a recorded program, found or not, as text, JSON and page.
@Suite struct AnnotateTests {
  private func withRecording(_ body: (URL) throws -> Void) throws {
    try Command.withFolder { folder in
      let recorded = try SourceProgram.record(in: folder)
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      try body(folder)
    }
  }

  private func json(_ arguments: String..., folder: URL) throws -> [String: Any] {
    let outcome = try Command.run(Command.wick, arguments, folder: folder)
    try #require(outcome.exitCode == 0, "\(outcome.errors)")
    let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(value as? [String: Any])
  }

  private func sources(_ object: [String: Any]) throws -> [[String: Any]] {
    try #require(object["sources"] as? [[String: Any]])
  }

  @Test func loopsHoldTheSamplesAndAllTotalsAgree() throws {
    try withRecording { folder in
      let annotated = try json("annotate", "hot.wick", "hot.c", "--json", folder: folder)
      let source = try #require(try sources(annotated).first)
      let total = try #require(annotated["total"] as? Int)
      let lines = try #require(source["lines"] as? [[String: Any]])
      let inLoop = lines.filter { [4, 5].contains($0["line"] as? Int) }
        .reduce(0) { $0 + ($1["self"] as? Int ?? 0) }
      #expect(Double(inLoop) >= Double(total) * 0.9, "\(inLoop) of \(total)")
      #expect(lines.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == source["self"] as? Int)
      // `work` is inlined into `outer`, which `twin` and `main` call.
      let chain = try #require((source["inlinedInto"] as? [[String: Any]])?.first)
      let calls = try #require(chain["calls"] as? [[String: Any]])
      #expect(calls.map { $0["function"] as? String } == ["outer"])
      #expect(calls.first?["line"] as? Int == 9)

      let report = try json("report", "--lines", "-n", "1000000", "--json", folder: folder)
      #expect(report["total"] as? Int == total)
      let rows = try #require(report["lines"] as? [[String: Any]])
      #expect(rows.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == total)
      let functions = try json("report", "--json", folder: folder)
      #expect(functions["total"] as? Int == total)
      let picture = try Command.run("flamegraph", "hot.wick", "-o", "-", folder: folder)
      #expect(picture.output.contains("data-total=\"\(total)\""))
    }
  }

  /// The time goes by in libc, of which there is no source: the line that calls it is marked.
  @Test func hottestLineCallsWhatHasNoSource() throws {
    try Command.withFolder { folder in
      try Data(
        """
        #include <string.h>
        static char from[1 << 16], to[1 << 16];
        int main(void) {
          int sum = 0;
          for (int i = 0; i < 200000; i++) {
            from[i & 1023] = (char)i;
            memcpy(to, from, sizeof(to) - (size_t)(i & 7));
            sum += to[i & 1023];
          }
          return sum == 1;
        }

        """.utf8
      ).write(to: folder.appending(path: "copy.c"))
      let built = try Command.run(
        "/usr/bin/gcc", ["-g", "-O1", "-fno-builtin", "-o", "copy", "copy.c"], folder: folder)
      try #require(built.exitCode == 0, "\(built.errors)")
      let recorded = try Command.run(
        "record", "-F", "997", "-o", "copy.wick", "--", "./copy", folder: folder)
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      let annotated = try json("annotate", "copy.wick", "--json", folder: folder)
      let source = try #require(try sources(annotated).first)
      #expect(source["hottestLine"] as? Int == 7)
      let total = try #require(annotated["total"] as? Int)
      #expect(try #require(source["own"] as? Int) * 10 >= total * 9)
      #expect(try #require(source["self"] as? Int) * 2 < total)
    }
  }

  @Test func explanationsSayWhatWasRead() throws {
    try withRecording { folder in
      let outcome = try Command.run("report", "-v", "hot.wick", folder: folder)
      #expect(outcome.exitCode == 0)
      let line = outcome.complaints.first { $0.contains("/hot: ") } ?? ""
      #expect(line.contains("symbols from ") || line.contains("from the cache"), "\(line)")
      #expect(line.contains(" addresses have functions"), "\(line)")
    }
  }

  /// The program whose three functions take 70, 20 and 10 %, each in one loop.
  @Test func knownSplitIsInItsLoops() throws {
    try Command.withFolder { folder in
      let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Samples/KnownSplit").standardized.path
      let built = try Command.run(
        "/bin/sh",
        [
          "-c", "exec gcc -g -O2 -D_GNU_SOURCE -I\"$0\"/include -o split \"$0\"/*.c -lpthread",
          sources,
        ], folder: folder)
      try #require(built.exitCode == 0, "\(built.errors)")
      let recorded = try Command.run(
        "record", "-F", "997", "-o", "x.wick", "--", "./split", "--seconds", "3", folder: folder)
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      for (leaf, share) in [("leaf_seventy", 0.7), ("leaf_twenty", 0.2), ("leaf_ten", 0.1)] {
        let annotated = try json("annotate", "x.wick", leaf, "--json", folder: folder)
        let source = try #require(try self.sources(annotated).first)
        let lines = try #require(source["lines"] as? [[String: Any]])
        let texts = lines.map { $0["text"] as? String ?? "" }
        let start = try #require(texts.firstIndex { $0.contains("for (uint64_t i") })
        let end = try #require(texts[start...].firstIndex { $0.contains("return") })
        let inLoop = lines[start..<end].reduce(0) { $0 + ($1["self"] as? Int ?? 0) }
        let own = try #require(source["self"] as? Int)
        let total = try #require(annotated["total"] as? Int)
        #expect(Double(inLoop) >= 0.9 * Double(own), "\(leaf): \(inLoop) of \(own)")
        #expect(abs(Double(own) / Double(total) - share) < 0.05, "\(leaf): \(own) of \(total)")
      }
    }
  }

  @Test func functionIsShownAlone() throws {
    try withRecording { folder in
      let annotated = try json("annotate", "hot.wick", "outer", "--json", folder: folder)
      let source = try #require(try sources(annotated).first)
      #expect(source["function"] as? String == "outer")
      let lines = try #require(source["lines"] as? [[String: Any]])
      let weighty = lines.filter { ($0["total"] as? Int ?? 0) > 0 }.map { $0["line"] as? Int }
      #expect(weighty.contains(9) && !weighty.contains(5) && !weighty.contains(17))
    }
  }

  @Test func instructionsHaveTheSamplesOfTheirLine() throws {
    try withRecording { folder in
      let annotated = try json(
        "annotate", "hot.wick", "hot.c", "--json", "--disassemble", "--callers", folder: folder)
      let source = try #require(try sources(annotated).first)
      let hottest = try #require(source["line"] as? Int)
      let lines = try #require(source["lines"] as? [[String: Any]])
      let line = try #require(lines.first { $0["line"] as? Int == hottest })
      let listings = try #require(source["instructions"] as? [[String: Any]])
      let instructions = listings.flatMap { $0["instructions"] as? [[String: Any]] ?? [] }
      #expect(instructions.count > 1)
      for value in ["self", "total"] {
        let sum = instructions.reduce(0) { $0 + ($1[value] as? Int ?? 0) }
        #expect(sum == line[value] as? Int, "\(value)")
      }
      let callers = try #require(source["callers"] as? [[String: Any]])
      #expect(callers.reduce(0) { $0 + ($1["total"] as? Int ?? 0) } == line["total"] as? Int)
      // Each sampled instruction stands where objdump has one.
      let dump = try Command.run("/usr/bin/objdump", ["-d", "hot"], folder: folder)
      for instruction in instructions where instruction["self"] as? Int != 0 {
        let address = try #require(instruction["address"] as? String).dropFirst(2)
        #expect(dump.output.contains("\(address):\t"))
      }
    }
  }

  @Test func missingSourcesAreLookedForWhereItIsSaid() throws {
    try withRecording { folder in
      let files = FileManager.default
      try files.moveItem(
        at: folder.appending(path: "src"), to: folder.appending(path: "elsewhere"))
      let missing = try Command.run("annotate", "hot.wick", "hot.c", folder: folder)
      #expect(missing.exitCode == 0)
      #expect(missing.output.contains("Warning    the source was not found"))
      #expect(missing.output.contains(/> +\d+ .* 5\n/) || missing.output.contains(/> +\d+ .* 4\n/))
      let found = [
        ["--source-dir", "elsewhere"],
        ["--source-dir=\(folder.path)/nowhere", "--source-dir=elsewhere"],
        ["--source-map", "\(folder.path)/src=\(folder.path)/elsewhere"],
      ]
      for options in found {
        let outcome = try Command.run(
          Command.wick, ["annotate", "hot.wick", "hot.c"] + options, folder: folder)
        #expect(outcome.exitCode == 0)
        #expect(outcome.output.contains("unsigned long sum = 1;"), "\(options)")
        #expect(outcome.output.contains("Read from  "), "\(options)")
        #expect(!outcome.output.contains("Warning"), "\(options)")
        let isSaid = outcome.errors.contains(
          "/nowhere' is of no use: No such file or directory\n")
        #expect(isSaid == (options.count == 2 && options[1] == "--source-dir=elsewhere"))
      }
    }
  }

  @Test func absenceOfAllSourcesIsSaid() throws {
    try withRecording { folder in
      let whole = try Command.run("annotate", "hot.wick", folder: folder)
      #expect(whole.complaints.isEmpty)
      try FileManager.default.removeItem(at: folder.appending(path: "src"))
      let without = try Command.run("annotate", "hot.wick", folder: folder)
      #expect(without.exitCode == 0)
      #expect(without.complaints.count == 1)
      let line = "none of the sources of hot.wick is on this machine, and lines are known for "
      #expect(without.errors.hasPrefix("wick: \(line)"))
      let share = without.errors.dropFirst("wick: \(line)".count).prefix { $0 != " " }
      #expect(try #require(Int(share)) >= 90)
    }
  }

  @Test func newerSourceIsSaidUnlessTheProgramIsGone() throws {
    try withRecording { folder in
      let source = folder.appending(path: "src/hot.c").path
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: 100)], ofItemAtPath: source)
      let newer = try Command.run("annotate", "hot.wick", "hot.c", folder: folder)
      #expect(newer.exitCode == 0)
      #expect(newer.output.contains("Warning    the source is newer than "))
      #expect(newer.output.contains("unsigned long sum = 1;"))
      // Another program at the path says nothing about the source.
      let other = try Command.run(
        "/usr/bin/gcc", ["-g", "-O1", "-o", "hot", "src/hot.c"], folder: folder)
      try #require(other.exitCode == 0)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: 200)], ofItemAtPath: source)
      let gone = try Command.run("annotate", "hot.wick", "hot.c", folder: folder)
      #expect(!gone.output.contains("newer than"))
    }
  }

  @Test func pageIsOneFile() throws {
    try withRecording { folder in
      let written = try Command.run(
        "annotate", "hot.wick", "-o", "hot.html", "--callers", folder: folder)
      #expect(written.exitCode == 0)
      #expect(written.errors.contains("wrote hot.html"))
      let page = try String(contentsOf: folder.appending(path: "hot.html"), encoding: .utf8)
      #expect(page.hasPrefix("<!DOCTYPE html>"))
      #expect(page.contains("&lt;/script&gt; ␛[31m"))
      #expect(!page.contains("<script"))
      let printed = try Command.run("annotate", "hot.wick", "--html", "--callers", folder: folder)
      #expect(printed.output == page)
    }
  }

  @Test func escapesOfSourcesNeverReachATerminal() throws {
    try withRecording { folder in
      let piped = try Command.run("annotate", "hot.wick", "hot.c", "-a", folder: folder)
      #expect(!piped.output.contains("\u{1b}"))
      #expect(piped.output.contains("</script> \u{fffd}[31m"))
      func onTerminal(_ environment: String) throws -> String {
        try Command.run(
          "/usr/bin/script",
          ["-qec", "\(environment) '\(Command.wick)' annotate hot.wick hot.c -a", "/dev/null"],
          folder: folder
        ).output
      }
      let colored = try onTerminal("env -u NO_COLOR TERM=xterm")
      #expect(colored.contains("\u{1b}[1;31m>"))
      #expect(colored.contains("</script> \u{fffd}[31m"))
      #expect(!(try onTerminal("NO_COLOR=1 TERM=xterm")).contains("\u{1b}"))
      #expect(!(try onTerminal("env -u NO_COLOR TERM=dumb")).contains("\u{1b}"))
    }
  }

  @Test func namesThatAreNotClearAreMistakes() throws {
    try withRecording { folder in
      let unknown = try Command.run("annotate", "hot.wick", "outr", folder: folder)
      #expect(unknown.exitCode == 3)
      #expect(
        unknown.errors
          == "wick: there is no function or source 'outr' in hot.wick; did you mean 'outer'?\n")
      let without = try Command.run(
        "annotate", "-", "work", folder: folder, input: Data("main;work 3\n".utf8))
      #expect(without.exitCode == 3)
      #expect(without.errors.contains("no source line is known of work"))
      let none = try Command.run(
        "annotate", "-", folder: folder, input: Data("main;work 3\n".utf8))
      #expect(none.exitCode == 3)
      #expect(none.errors.contains("no source line is known of standard input"))
      let ambiguous = try Command.run(
        "annotate", "-", "run", folder: folder, input: Data("A.run;B.run 3\n".utf8))
      #expect(ambiguous.exitCode == 2)
      #expect(ambiguous.errors.contains("'run' may be '!A.run', '!B.run'; name one of them"))
    }
  }

  @Test func lineWithoutSamplesOrBehindTheEndIsSaid() throws {
    try withRecording { folder in
      let idle = try Command.run("annotate", "hot.wick", "hot.c:1", "--callers", folder: folder)
      #expect(idle.exitCode == 0)
      #expect(idle.output.contains("\nLine 1 has no samples.\n"))
      let busy = try Command.run("annotate", "hot.wick", "hot.c:5", "--callers", folder: folder)
      #expect(!busy.output.contains("has no samples"))
      let behind = try Command.run("annotate", "hot.wick", "hot.c:999", folder: folder)
      #expect(behind.exitCode == 3)
      #expect(behind.output.isEmpty)
      #expect(behind.errors.contains("/src/hot.c, which has 19 lines\n"))
      #expect(behind.errors.hasPrefix("wick: there is no line 999 in "))
    }
  }

  @Test func oneLineIsNotManyLines() throws {
    try withRecording { folder in
      try Data("int main;".utf8).write(to: folder.appending(path: "src/hot.c"))
      let outcome = try Command.run("annotate", "hot.wick", "hot.c", folder: folder)
      #expect(outcome.output.contains("the source has only 1 line, fewer than"))
    }
  }

  @Test func damagedRecordingIsStillShown() throws {
    try withRecording { folder in
      let whole = try Data(contentsOf: folder.appending(path: "hot.wick"))
      try whole.prefix(whole.count * 3 / 4).write(to: folder.appending(path: "cut.wick"))
      let outcome = try Command.run("annotate", "cut.wick", "hot.c", folder: folder)
      #expect(outcome.exitCode == 4)
      #expect(outcome.output.contains("unsigned long sum = 1;"))
    }
  }

  @Test func inlinedFramesAreMarkedOnRequest() throws {
    try withRecording { folder in
      let plain = try Command.run("folded", "hot.wick", folder: folder)
      let marked = try Command.run("folded", "--mark-inlined", "hot.wick", folder: folder)
      #expect(plain.output.contains("outer;work "))
      #expect(marked.output.contains("outer;work_[i] "))
      #expect(!marked.output.contains("outer_[i]"))
    }
  }
}
