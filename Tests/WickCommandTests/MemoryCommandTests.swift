import Foundation
import Testing

/// What subcommands show of a recording with allocations: that of `AllocationTests`, each object of
/// which stands for 40.
@Suite struct MemoryCommandTests {
  private static let recording = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Recordings/allocations.wick")
  private let folder = Self.recording.deletingLastPathComponent()

  private func run(_ words: String...) throws -> Command.Outcome {
    try Command.run(
      Command.wick, words + ["--addresses", Self.recording.path], folder: folder)
  }

  @Test func foldedWritesEachValue() throws {
    for (value, lines) in [
      ("samples", "server+0x2000 1\n"), ("cpu", "server+0x2000 10000000\n"),
      ("alloc_objects", "server+0x2000 600\nserver+0x2000;server+0x2100 80\n"),
      ("alloc_space", "server+0x2000 60000\nserver+0x2000;server+0x2100 4000\n"),
      ("inuse_objects", "server+0x2000 240\nserver+0x2000;server+0x2100 40\n"),
      ("inuse_space", "server+0x2000 24000\nserver+0x2000;server+0x2100 2000\n"),
      ("peak", "server+0x2000 48000\nserver+0x2000;server+0x2100 4000\n"),
      ("temporary", "server+0x2000 2\n"),
    ] {
      let outcome = try run("folded", "--value", value)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.output == lines, "\(value)")
    }
    #expect(try run("folded").output == "server+0x2000 1\n")
    #expect(
      try run("folded", "--types", "--value", "inuse_space").output == """
        server+0x2000 4000
        server+0x2000;_ZTSN3app4BaseE 8000
        server+0x2000;app.Node 12000
        server+0x2000;server+0x2100 2000

        """)
  }

  @Test func sumsAgreeInAllViews() throws {
    func json(_ words: String...) throws -> [String: Any] {
      let outcome = try Command.run(
        Command.wick,
        ["report", "--json"] + words + ["--value", "alloc_space", Self.recording.path],
        folder: folder)
      let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      return try #require(value as? [String: Any])
    }
    for view in [["--lines"], ["--tree"], ["--by", "type"], ["--by", "thread"], []] {
      let report =
        view.count == 2
        ? try json(view[0], view[1]) : view.count == 1 ? try json(view[0]) : try json()
      #expect(report["total"] as? Int == 64_000, "\(view)")
    }
    let picture = try run("flamegraph", "--value", "alloc_space", "-o", "-")
    #expect(picture.output.contains("data-total=\"64000\""))
    #expect(picture.output.contains(">server: alloc_space</text>"))
  }

  @Test func typesHaveTheirNames() throws {
    let outcome = try Command.run("report", "--by", "type", Self.recording.path, folder: folder)
    let rows = outcome.output.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      return words.count == 6 && words[3] == "%" ? "\(words[0]) \(words[5])" : nil
    }
    #expect(
      rows == ["35.156 app.Node", "19.531 app::Base", "7.813 [untyped]"], "\(outcome.output)")
    let raw = try Command.run(
      "report", "--by", "type", "--raw-names", Self.recording.path, folder: folder)
    #expect(raw.output.contains("  _ZTSN3app4BaseE\n"))
  }

  @Test func leaksAreListed() throws {
    let all = try run("report", "--leaks")
    #expect(all.exitCode == 0)
    #expect(all.output.contains("the top 2 of 2, 100.00 % of 25.391 KiB in 280 objects\n"))
    #expect(
      all.output.contains("0 B, live for less than 400.000 ms, a tenth of the recorded time"))
    let old = try run("report", "--leaks", "--age", "2s")
    #expect(old.output.contains("Left out: 40 objects, 3.906 KiB, live for less than 2.000 s\n"))
    #expect(old.output.contains("mean age 3.240 s: _ZTSN3app4BaseE, app.Node, [untyped]\n"))
  }

  @Test func unknownValuesAreNamedWithWhatThereIs() throws {
    let outcome = try run("report", "--value", "retains")
    #expect(outcome.exitCode == 2)
    #expect(outcome.complaints.count == 1)
    #expect(outcome.errors.contains("there is no value 'retains' in"))
    #expect(outcome.errors.contains("'alloc_space', 'inuse_objects'"))
    for words in [["--by", "type"], ["--value", "alloc_space"]] {
      let outcome = try Command.run(
        Command.wick, ["report"] + words + ["-"], folder: folder, input: Data("a;b 1\n".utf8))
      #expect(outcome.exitCode == 2)
      #expect(
        outcome.errors.contains(
          "'alloc_space' in standard input, as no allocations were recorded, only 'samples'"))
    }
    let leaks = try Command.run(
      Command.wick, ["report", "--leaks", "-"], folder: folder, input: Data("a;b 1\n".utf8))
    #expect(leaks.exitCode == 3)
    #expect(leaks.errors == "wick: no allocations were recorded in standard input\n")
  }

  /// A program that is over before the first sample has allocations all the same.
  @Test func allocationsWithoutSamplesAreShown() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "record", "--alloc=all", "-F", "1", "-o", "a.wick", "--", "/usr/bin/env", "perl", "-e",
        "@a = (1..1000)", folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("0 samples, "))
      #expect(
        outcome.errors.hasSuffix(
          "next: wick report --value alloc_space a.wick    or: wick flamegraph --value inuse_space "
            + "a.wick\n"), "\(outcome.errors)")
      for words in [
        ["report"], ["report", "--lines"], ["report", "--tree"], ["report", "--leaks"],
        ["flamegraph", "-o", "-"], ["folded"],
      ] {
        for value in [[], ["--value", "alloc_space"], ["--value", "retains"]]
        where !words.contains("--leaks") || value.isEmpty {
          let shown = try Command.run(
            Command.wick, words + value + ["a.wick"], folder: folder)
          #expect(shown.exitCode == (value.last == "retains" ? 2 : 0), "\(words) \(shown.errors)")
        }
      }
      let bytes = try Command.run(
        "folded", "--value", "alloc_space", "a.wick", folder: folder)
      #expect(bytes.output.split(separator: "\n").count > 10)
    }
  }

  @Test func nextStepsNameWhatThereIs() throws {
    try Command.withFolder { folder in
      let work = "for ($i = 0; $i < 3000000; $i++) { push @a, $i }"
      let both = try Command.run(
        "record", "--alloc", "-F", "997", "-o", "a.wick", "--", "/usr/bin/perl", "-e", work,
        folder: folder)
      #expect(
        both.errors.hasSuffix(
          """
          next: wick report a.wick    or: wick flamegraph a.wick
          memory: wick report --value alloc_space a.wick    or: wick flamegraph --value inuse_space \
          a.wick

          """), "\(both.errors)")
      let neither = try Command.run(
        "record", "--alloc=1g", "-F", "1", "-o", "b.wick", "--", "/bin/true", folder: folder)
      #expect(neither.exitCode == 1)
      #expect(neither.errors.contains("nor was an allocation followed"), "\(neither.errors)")
    }
  }

  @Test func equalRecordingsDoNotDiffer() throws {
    let outcome = try Command.run(
      "diff", "--value", "alloc_space", "--addresses", Self.recording.path, Self.recording.path,
      folder: folder)
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("before  62.500 KiB alloc_space\n"))
    #expect(outcome.output.contains("\n0 of 2 functions changed"))
  }
}
