import Foundation
import Testing
import WickFormats
import WickProfile

func readFolded(_ text: String) throws(FoldedError) -> Profile {
  try Folded.read(Array(text.utf8).span.bytes)
}

func writeFolded(_ profile: Profile, column: Int = 0) -> String {
  var text = ""
  Folded.write(profile, column: column, to: &text)
  return text
}

extension Profile {
  /// The names of each row's stack, root first.
  var paths: [[String]] {
    samples.map { stacks.framesLeafFirst(of: $0.stack).reversed().map { frames[$0].function } }
  }
}

@Suite struct FoldedReadTests {
  @Test func readsStacksAndWeights() throws {
    let profile = try readFolded("main;a;b 3\nmain;a 2\nmain;a;c 5\nother 7\nmain;a;b 1\n")
    #expect(profile.valueTypes == [.samples])
    #expect(
      profile.paths == [
        ["main", "a", "b"], ["main", "a"], ["main", "a", "c"], ["other"], ["main", "a", "b"],
      ])
    #expect(profile.columns == [[3, 2, 5, 7, 1]])
    #expect(profile.samples[0].stack == profile.samples[4].stack)
    #expect(profile.stacks.count == 6)
    #expect(profile.samples.allSatisfy { $0.thread == nil && $0.nanoseconds == 0 })
    #expect(profile.origin.warnings == [])
  }

  @Test(
    arguments: [
      // Spaces and numbers belong to names; one white space stands before the weight.
      ("worker 3;run loop 12 5\nx 1", ["worker 3", "run loop 12"], 5),
      ("a  5\nx 1", ["a "], 5),
      ("a\t5\nx 1", ["a"], 5),
      (" a b 5\nx 1", [" a b"], 5),
      ("std::map<int, a> 5\nx 1", ["std::map<int, a>"], 5),
      // No newline at the end; carriage returns and white space at the end.
      ("a;b 5", ["a", "b"], 5),
      ("a;b 5\r\n", ["a", "b"], 5),
      ("a;b 5 \t \n", ["a", "b"], 5),
      // Empty frames: kept before and between others, dropped at the end.
      (";;a 1", ["", "", "a"], 1),
      ("a;;b 1", ["a", "", "b"], 1),
      ("a; 1", ["a"], 1),
      ("a;;; 1", ["a"], 1),
      ("; 1", [], 1),
      (" 1", [], 1),
      // Numbers.
      ("a 007", ["a"], 7),
      ("a 5.", ["a"], 5),
      ("a 5.000", ["a"], 5),
      ("a 9223372036854775807", ["a"], Int64.max),
      ("a 9223372036854775808", ["a"], Int64.max),
      ("a 99999999999999999999999999999999", ["a"], Int64.max),
      ("a 0", ["a"], 0),
      ("überholt;日本 2", ["überholt", "日本"], 2),
    ] as [(String, [String], Int64)])
  func splitsALine(line: String, path: [String], weight: Int64) throws {
    let profile = try readFolded(line)
    #expect(profile.paths[0] == path)
    #expect(profile.columns[0][0] == weight)
    #expect(profile.origin.warnings == [])
  }

  @Test func cutsFractionsAndSaysSo() throws {
    let profile = try readFolded("a 1.9\nb 2.5\nc 3.0\nd 4\n")
    #expect(profile.columns == [[1, 2, 3, 4]])
    #expect(profile.origin.warnings == ["Dropped the fractions of 2 weights."])
  }

  @Test func countsWhatItIgnores() throws {
    let profile = try readFolded(
      "a 1\n\n  \nno weight\na -1\nb 1e5\nc .5\nd 1.5.5\n5\n# comment 3\n#frame 4\ne 2")
    #expect(profile.paths == [["a"], ["#frame"], ["e"]])
    #expect(profile.columns == [[1, 4, 2]])
    #expect(
      profile.origin.warnings == [
        "Ignored 6 lines that do not end in a weight, the first is line 4.",
        "Skipped 1 comment lines.",
      ])
  }

  @Test func refusesWhatHasNoStacks() {
    #expect(throws: FoldedError.noStacks(ignoredLines: 0, firstLine: nil)) { try readFolded("") }
    #expect(throws: FoldedError.noStacks(ignoredLines: 0, firstLine: nil)) {
      try readFolded("\n# a 1")
    }
    #expect(throws: FoldedError.noStacks(ignoredLines: 2, firstLine: 2)) {
      try readFolded("\n<svg>\n</svg>\n")
    }
  }

  @Test func readsTwoColumnsWhereEveryLineHasThem() throws {
    let profile = try readFolded("a;b 1 20\nignored\na;c 3.5 4\r\n")
    #expect(profile.valueTypes == [.samples, ValueType(name: "before", unit: "count")])
    #expect(profile.paths == [["a", "b"], ["a", "c"]])
    #expect(profile.columns == [[20, 4], [1, 3]])
    #expect(profile.origin.warnings.count == 2)
    // One line without: the numbers are parts of names.
    let plain = try readFolded("a;b 1 20\na;c 4\n")
    #expect(plain.valueTypes == [.samples])
    #expect(plain.paths == [["a", "b 1"], ["a", "c"]])
    #expect(plain.columns == [[20, 4]])
  }

  /// Cut into parts of every size, with what a part leaves in front of the next.
  @Test(arguments: 1..<40) func partsGiveWhatTheWholeGives(byteCount: Int) throws {
    let text = "a;bb;ccc 1 20\nignored\n# x\na;bb;d 3.5 4\r\n\na;bb;ccc 5 6\n;;e 7 8\na;bb 9 1"
    for text in [text, text + "0\na 1\n", text.replacingOccurrences(of: " 20", with: "")] {
      let bytes = Array(text.utf8)
      var reader = FoldedReader()
      var rest: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: byteCount) {
        rest += bytes[start..<min(start + byteCount, bytes.count)]
        rest.removeFirst(reader.read(rest.span.bytes, isLast: false))
      }
      #expect(reader.read(rest.span.bytes, isLast: true) == rest.count)
      let profile = try reader.finish()
      let whole = try readFolded(text)
      #expect(profile.paths == whole.paths)
      #expect(profile.columns == whole.columns)
      #expect(profile.valueTypes == whole.valueTypes)
      #expect(profile.origin.warnings == whole.origin.warnings)
    }
  }

  @Test func repairsWhatIsNotUTF8() throws {
    let bytes: [UInt8] = [0x61, 0xff, 0x3b, 0x00, 0x62, 0xc3, 0x20, 0x33]
    let profile = try Folded.read(bytes.span.bytes)
    #expect(profile.paths == [["a\u{fffd}", "\0b\u{fffd}"]])
    #expect(writeFolded(profile) == "a\u{fffd};_b\u{fffd} 3\n")
  }

  /// Lines that share a prefix of bytes, but not of frames.
  @Test func tellsFramesFromPrefixes() throws {
    let lines = [
      "a;bc", "a;b", "a;b;c", "a;b;cc", "ab", "a", "", "a;b;c", "a;b;c;d", "a;b;c", "a;;b", "a;;",
    ]
    let profile = try readFolded(lines.map { "\($0) 1\n" }.joined())
    for (line, path) in zip(lines, profile.paths) {
      var expected = line.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
      while expected.last == "" { expected.removeLast() }
      #expect(path == expected)
    }
  }

  /// The same as splitting with the standard library, for text of the worst kind.
  @Test func agreesWithASimpleReader() throws {
    let alphabet = Array("ab;; 1 2.\n\t#")
    var state: UInt64 = 42
    for _ in 0..<3000 {
      var text = "x y\nmain;x 1\n"  // never two columns
      for _ in 0..<60 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.append(alphabet[Int(state >> 33) % alphabet.count])
      }
      let profile = try readFolded(text)
      var expected: [([String], Int64)] = []
      for line in text.split(separator: "\n") where !line.hasPrefix("# ") {
        guard let match = line.wholeMatch(of: /(.*)\s(\d+)(?:\.\d*)?\s*/) else { continue }
        var path = match.1.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        while path.last == "" { path.removeLast() }
        expected.append((path, Int64(match.2) ?? .max))
      }
      #expect(profile.paths == expected.map(\.0), "\(text)")
      #expect(profile.columns == [expected.map(\.1)], "\(text)")
    }
  }

  @Test func readsVeryDeepAndVeryManyStacks() throws {
    let deep = (0..<100_000).map { "f\($0 % 10)" }.joined(separator: ";")
    let profile = try readFolded("\(deep) 1\n\(deep);x 2\n")
    #expect(profile.stacks.count == 100_002)
    let wide = try readFolded((0..<50_000).map { "r;f\($0) 1\n" }.joined())
    #expect(wide.frames.count == 50_001)
    #expect(wide.total(of: 0) == 50_000)
  }
}
