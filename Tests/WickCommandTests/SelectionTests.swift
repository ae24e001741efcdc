import Foundation
import Testing

/// Options that choose what counts, and views of `wick report`.
@Suite struct SelectionTests {
  /// What the help pages have in common.
  static let paragraph = """
    PATTERN is a part of a function's name; or 'module:TEXT', of its module's; or 'thread:TEXT', of
    its thread's, or a tid; or 'process:TEXT', of its program's, or a pid. TEXT may be '/REGEX/', or
    '/REGEX/i' for any case. Percentages are of what is left, and it is said what part of the whole
    that is. If nothing is left that is said, and the output is empty; this is no error.
    """
  static let options = """
          --focus PATTERN       Only stacks that match. Several: that match all.
          --ignore PATTERN      No stacks that match. May be repeated.
          --hide PATTERN        Gives what functions take to their callers. May be repeated.
    """

  static let mistakes: [([String], String)] = [
    (["report", "--tree", "--lines"], "'--lines' and '--tree' are two reports; choose one"),
    (
      ["report", "--by", "x"],
      "'--by' must be one of 'process', 'thread', 'module', 'file', 'type', not"
    ),
    (["report", "--by", "thread", "--processes"], "'--processes' is for '--tree' and '--callers'"),
    (["report", "--callees", "f", "--threads"], "'--threads' is for '--tree' and '--callers'"),
    (["report", "--min-percent", "1"], "'--min-percent' is for '--tree', '--callers' and"),
    (["report", "-t", "--min-percent", "x"], "must be a percentage such as 0.5 or 12, not 'x'"),
    (["report", "-t", "--min-percent", "-1"], "must be a percentage such as 0.5 or 12, not '-1'"),
    (["report", "-t", "--min-percent", "1.234"], "a percentage such as 0.5 or 12, not '1.234'"),
    (["report", "-t", "--min-percent", "100.1"], "must be a percentage up to 100, not '100.1'"),
    (["report", "--callers", "thread:x"], "'--callers thread:x' is no function; threads have no"),
    (["report", "--callees", "process:1"], "is no function; processes have no callers"),
    (["report", "--callees", "/["], "'--callees /[' lacks the slash at its end, as in '/a.*b/'"),
    (["report", "--focus", ""], "'--focus ' says nothing to look for"),
    (["folded", "--focus", "thread:"], "'--focus thread:' says nothing to look for"),
    (["folded", "--ignore", "//"], "'--ignore //' says nothing to look for"),
    (["flamegraph", "--hide", "/a/x"], "'--hide /a/x' has 'x' behind its last slash, where only"),
    (["flamegraph", "--hide", "thread:1"], "'--hide thread:1' hides no function; leave threads"),
    (["diff", "--hide", "process:sh", "a", "b"], "hides no function; leave processes out by"),
    (["report", "--focus", "/a(b/"], "'--focus /a(b/' is no regular expression: expected ')'"),
    (["annotate", "--focus", "module:/[/"], "'--focus module:/[/' is no regular expression: "),
  ]

  @Test(arguments: mistakes) func mistakesGetOneLineAndCodeTwo(words: [String], line: String) throws
  {
    try UsageTests().mistakesGetOneLineAndCodeTwo(words: words, line: line)
  }

  private static let stacks = Data(
    """
    main;parse;lex 6
    main;parse 2
    main;run;parse 1
    main;run;lex 1
    """.utf8)

  private func wick(_ arguments: String...) throws -> Command.Outcome {
    try Command.run(
      Command.wick, arguments, folder: FileManager.default.temporaryDirectory, input: Self.stacks)
  }

  @Test func foldedStacksAreChosen() throws {
    for (options, expected) in [
      (["--focus", "parse"], "main;parse 2\nmain;parse;lex 6\nmain;run;parse 1\n"),
      (["--ignore", "parse"], "main;run;lex 1\n"),
      (["--focus=run", "--focus=/^p.*e$/"], "main;run;parse 1\n"),
      (["--ignore", "/^LEX$/i", "--hide", "main"], "parse 2\nrun;parse 1\n"),
    ] {
      let outcome = try Command.run(
        Command.wick, ["folded", "-"] + options, folder: FileManager.default.temporaryDirectory,
        input: Self.stacks)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == expected)
      #expect(outcome.errors.isEmpty)
    }
  }

  @Test func whatIsShownOfTheWholeIsSaid() throws {
    for arguments in [
      ["report"], ["report", "--tree"], ["report", "--by", "module"], ["flamegraph"],
    ] {
      let outcome = try Command.run(
        Command.wick, arguments + ["-", "-o", "-", "--ignore", "run"],
        folder: FileManager.default.temporaryDirectory, input: Self.stacks)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.contains("showing 80.00 % of 10 samples: --ignore run"))
    }
  }

  @Test func whatMatchesNothingIsSaid() throws {
    let some = try wick("folded", "-", "--ignore", "nope", "--hide", "module:gone")
    #expect(some.exitCode == 0)
    #expect(some.output.split(separator: "\n").count == 4)
    #expect(some.errors == "wick: -: nothing matches 'nope', 'module:gone'\n")
  }

  @Test func nothingLeftIsNoError() throws {
    let none = try wick("folded", "-", "--focus", "nope")
    #expect(none.exitCode == 0)
    #expect(none.output.isEmpty)
    #expect(
      none.errors == "wick: -: nothing is left of 4 stacks sampled: nothing matches 'nope'\n")
    for arguments in [
      ["report"], ["report", "--lines"], ["report", "--tree"], ["report", "--by", "thread"],
      ["report", "--callers", "parse"], ["report", "--callees", "parse", "--json"],
      ["flamegraph", "-o", "-"], ["annotate"],
    ] {
      let outcome = try Command.run(
        Command.wick, arguments + ["-", "--ignore", "main"],
        folder: FileManager.default.temporaryDirectory, input: Self.stacks)
      #expect(outcome.exitCode == 0, "\(arguments)")
      #expect(outcome.errors == "wick: -: nothing is left of 4 stacks sampled\n", "\(arguments)")
      #expect(!outcome.output.isEmpty)
    }
  }

  @Test func viewsAreShown() throws {
    for (arguments, line) in [
      (["--tree"], " 100.00    0.00     10  main"),
      (["--callers", "lex"], "100.00     70.00      7  lex"),
      (["--callees", "/^run$/"], "100.00     20.00    0.00      2  run"),
      (["--by", "thread"], "   10   100.00                   (no thread)"),
    ] {
      let outcome = try Command.run(
        Command.wick, ["report", "-"] + arguments,
        folder: FileManager.default.temporaryDirectory, input: Self.stacks)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.contains("\n\(line)\n"), "\(outcome.output)")
    }
  }

  @Test func unknownFunctionHasNoCallers() throws {
    let outcome = try wick("report", "-", "--callers", "parrse")
    #expect(outcome.exitCode == 3)
    #expect(
      outcome.errors
        == "wick: no function matches 'parrse' in standard input; did you mean 'parse'?\n")
  }

  /// The figures of all views of a recording, and of its parts, are the same.
  @Test func viewsAndPartsOfARecordingAgree() throws {
    try Command.withFolder { folder in
      let recorded = try SourceProgram.record(in: folder)
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      func json(_ arguments: String...) throws -> [String: Any] {
        let outcome = try Command.run(
          Command.wick, arguments + ["hot.wick", "--json"], folder: folder)
        try #require(outcome.exitCode == 0, "\(outcome.errors)")
        let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        return try #require(value as? [String: Any])
      }
      let functions = try json("report", "-n", "100000")
      let total = try #require(functions["total"] as? Int)
      let (with, without) = (
        try json("report", "--focus", "/^twin$/"), try json("report", "--ignore", "/^twin$/")
      )
      let part = try #require(with["total"] as? Int)
      #expect(try part + #require(without["total"] as? Int) == total)
      #expect((with["filter"] as? [String: Any])?["wholeTotal"] as? Int == total)

      let rows = try #require(functions["functions"] as? [[String: Any]])
      let twin = try #require(rows.first { $0["function"] as? String == "twin" })
      #expect(twin["total"] as? Int == part)
      let callees = try json("report", "--callees", "/^twin$/")
      #expect(callees["treeTotal"] as? Int == part && callees["total"] as? Int == total)
      let callers = try json("report", "--callers", "/^twin$/")
      #expect(callers["treeTotal"] as? Int == part)
      let calls = try #require(callers["calls"] as? [[String: Any]])
      #expect(calls.prefix(2).map { $0["function"] as? String } == ["twin", "main"])
      #expect(calls.first?["module"] as? String == "hot")

      for (grouping, key) in [
        ("process", "processes"), ("thread", "threads"), ("module", "modules"), ("file", "files"),
      ] {
        let rows = try json("report", "--by", grouping)[key] as? [[String: Any]]
        #expect(rows?.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == total)
      }
      let picture = try Command.run(
        "flamegraph", "hot.wick", "-o", "-", "--focus", "/^twin$/", folder: folder)
      #expect(picture.output.contains("data-total=\"\(part)\""))
      let annotated = try json("annotate", "--focus", "thread:hot", "--focus", "/^twin$/")
      #expect(annotated["total"] as? Int == part)
      let page = try Command.run(
        "annotate", "hot.wick", "hot.c", "--html", "--focus", "module:hot", folder: folder)
      #expect(page.output.contains("% of \(total) samples: --focus module:hot"))
    }
  }
}
