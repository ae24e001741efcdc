import Testing
import WickFormats
import WickProfile

@Suite struct PerfScriptReadTests {
  /// Every kind of line.
  static let text = """
    # cmdline : /usr/bin/perf record -g ./app
    V8 Worker 3 12/13 [001]  1444.257343:    1001001 cpu-clock:u: 
    \tffffffff816b47d6 do_open+0x216 ([kernel.kallsyms])
    \t          401126 add (inlined)
    \t          401126 work(int) const+0x16 (/bin/my app (deleted))
      work.c:12
    \t          401200 a->b (/tmp/perf-12.map)
    \t          401300 [unknown] ([unknown])
    \t          401400 main+0x1 (/bin/app)

    app 12 1444.5: 5 sched:sched_switch: prev=1
    \t          401126 other+0x16 (/bin/app)

    app\t12/12 [001] 1444.600000000:\t1 cpu-clock:u:
        7f1234567890 read (/lib/libc.so.6)\r
    ffffffffabcdef01 sys (/lib/modules/x.ko)\r
    \r
        app 12 1444.7: 1 cpu-clock:u:  401126 one+0x1 (/bin/app)

    """

  @Test func theSameCallersAreOneStack() throws {
    let callers = "\t 50 b+0x1 (/bin/app)\n\t 60 c+0x1 (/bin/app)\n\n"
    let profile = try readPerfScript(
      [("x", "40 a+0x1"), ("x", "41 a+0x2"), ("x", "40 a+0x1"), ("y", "40 a+0x1")].map {
        "\($0.0) 1/1 1.5: cycles:\n\t \($0.1) (/bin/app)\n" + callers
      }.joined())
    #expect(
      profile.paths == [
        ["x", "c", "b", "a"], ["x", "c", "b", "a"], ["x", "c", "b", "a"], ["y", "c", "b", "a"],
      ])
    #expect(profile.samples[0].stack == profile.samples[2].stack)
    #expect(
      profile.stacks.parents[profile.samples[0].stack]
        == profile.stacks.parents[profile.samples[1].stack])
    // The root, x, c, b, two of a; y, c, b, a.
    #expect(profile.stacks.count == 10)
    #expect(writeFolded(profile) == "x;c;b;a 3\ny;c;b;a 1\n")
  }

  /// A line means the same whether or not it was read as a part of a text that is known.
  @Test func everySampleIsReadAlikeEachTime() throws {
    let once = try readPerfScript(Self.text)
    #expect(
      once.origin.warnings == [
        "Left out 1 samples of other events than 'cpu-clock:u': 'sched:sched_switch'."
      ])
    #expect(
      once.paths == [
        [
          "V8_Worker_3", "main", "[unknown]", "a", "b", "work(int) const", "add", "do_open",
        ],
        ["app", "sys", "read"],
        ["app", "one"],
      ])
    let often = try readPerfScript(String(repeating: Self.text, count: 20))
    #expect(often.samples.count == 60)
    #expect(often.frames == once.frames)
    #expect(often.stacks.count == once.stacks.count)
    for (row, sample) in often.samples.enumerated() {
      #expect(sample.stack == once.samples[row % 3].stack)
    }
  }

  @Test func whatIsNotUnderstoodIsCounted() throws {
    let profile = try readPerfScript(
      """
      what is this
      \t 40 orphan+0x1 (/bin/app)

      app 1/1 1.5: cycles:
      \t 40 a+0x1 (/bin/app)
      \t 50 b+0x1 (/bin/app)
      \t no frame
      \t 60 c+0x1 (/bin/app)

      app 1/1 1.6: cycles:
        file.c:12
      \t 40 a+0x1 (/bin/app)
      \t 50 b+0x1 (/bin/app)
      \t no frame
      \t 60 c+0x1 (/bin/app)
      """)
    #expect(profile.paths == [["app", "c", "b", "a"], ["app", "c", "b", "a"]])
    #expect(
      profile.origin.warnings == [
        "Ignored 5 lines that are no part of a sample, the first is line 1."
      ])
  }

  @Test func refusesWhatHasNoSamples() {
    #expect(throws: PerfScriptError.noSamples(ignoredLines: 0, firstLine: nil)) {
      try readPerfScript("")
    }
    #expect(throws: PerfScriptError.noSamples(ignoredLines: 0, firstLine: nil)) {
      try readPerfScript("# ========\n\n\r\n")
    }
    #expect(throws: PerfScriptError.noSamples(ignoredLines: 2, firstLine: 3)) {
      try readPerfScript("\n# x\na;b 1\na;c 2\n")
    }
  }

  @Test func isKnownByItsFirstLines() {
    #expect(recognizesPerfScript(Self.text))
    #expect(recognizesPerfScript("WARNING: maps are restricted.\n\n\(Self.text)"))
    #expect(recognizesPerfScript("app 12 cycles:\n\t 40 main (/bin/app)\n"))
    for text in [
      "", "\n", "a;b 1\n", "main 12 1\n", "main 12 3.5\n", "# ========\n", "\u{7f}ELF",
      "app 12 cycles:\n", "\t 40 main (/bin/app)\n", "worker 1.5: 3\n",
    ] {
      #expect(!recognizesPerfScript(text), "\(text)")
    }
  }

  /// Samples with no blank line between them, which are all one text of indented lines.
  @Test func blankLinesMayBeMissing() throws {
    let sample = "   app 1/1 1.5: cycles:\n\t 40 a+0x1 (/bin/app)\n\t 50 b+0x1 (/bin/app)\n"
    let profile = try readPerfScript(String(repeating: sample, count: 5000))
    #expect(profile.samples.count == 5000)
    #expect(Set(profile.paths) == [["app", "b", "a"]])
    #expect(profile.origin.warnings == [])
    let ended = try readPerfScript(String(repeating: sample, count: 5000) + "end\n")
    #expect(ended.samples.count == 5000)
    #expect(ended.origin.warnings.count == 1)
  }

  @Test func noLineIsTooLong() throws {
    for part in ["a->", "f(", ") (", "1.5: 1 ", "+0x1 (", "\t", "9", "(x) -> "] {
      let long = String(repeating: part, count: 50_000)
      let profile = try readPerfScript("app 1 1.5: 1 x:\n\t 40 \(long)\n\t\(long)\n\n\(long)\n")
      #expect(profile.samples.count >= 1)
      #expect((try? readPerfScript(long))?.samples.count ?? 1 >= 1)
    }
  }

  @Test func everyPrefixIsReadOrRefused() {
    let bytes = Array(Self.text.utf8)
    for count in 0...bytes.count {
      let part = Array(bytes.prefix(count))
      _ = PerfScript.recognizes(part.span.bytes)
      let profile = try? PerfScript.read(part.span.bytes)
      #expect((profile?.samples.count ?? 0) <= 3)
    }
  }

  @Test func damagedTextIsReadOrRefused() throws {
    let original = Array((Self.text + Self.text).utf8)
    let alphabet = Array("\n\r\t ()[]<>->+0x1a:./#;\u{0}\u{ff}".utf8)
    var state: UInt64 = 7
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<4000 {
      var bytes = original
      for _ in 0...random(8) {
        let place = random(bytes.count)
        switch random(4) {
        case 0: bytes[place] = UInt8(random(256))
        case 1: bytes[place] = alphabet[random(alphabet.count)]
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + random(20)))
        default:
          let source = random(bytes.count)
          bytes.insert(
            contentsOf: Array(bytes[source..<min(bytes.count, source + random(60))]), at: place)
        }
      }
      _ = PerfScript.recognizes(bytes.span.bytes)
      guard let profile = try? PerfScript.read(bytes.span.bytes) else { continue }
      #expect(profile.columns.allSatisfy { $0.count == profile.samples.count })
      _ = writeFolded(profile)
    }
  }
}
