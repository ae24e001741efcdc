import Testing
import WickProfile

@Suite struct FramePatternTests {
  private func isMatch(_ text: String, _ name: String, module: String = "") throws -> Bool {
    try FramePattern(text).matches(CallTree.Function(name: name, module: module))
  }

  @Test func textsAreLiteral() throws {
    #expect(try isMatch("a.c", "xa.cx"))
    #expect(try !isMatch("a.c", "abc"))
    #expect(try isMatch("operator/", "operator/(int)"))
    #expect(try !isMatch("Work", "work"))
    #expect(try isMatch("wör", "héllo wörld"))
    // As call trees take both spellings for one function.
    #expect(try isMatch("e\u{301}", "caf\u{e9}"))
  }

  @Test func regularExpressionsStandBetweenSlashes() throws {
    #expect(try isMatch("/^a.*c$/", "abc"))
    #expect(try !isMatch("/^a.*c$/", "ABC"))
    #expect(try isMatch("/^a.*c$/i", "ABC"))
    #expect(try isMatch("/a/b/", "xa/b"))
    #expect(try isMatch("/std::(map|set)<.*>::find/", "std::set<int>::find(int)"))
  }

  @Test func modulesAreMatchedByName() throws {
    #expect(try isMatch("module:libc", "f", module: "libc.so.6"))
    #expect(try !isMatch("module:libc", "libc", module: "server"))
    #expect(try isMatch("module:/^lib.*6$/", "f", module: "libc.so.6"))
    #expect(try !isMatch("libc", "f", module: "libc.so.6"))
    // What looks like a prefix may be a name.
    #expect(try isMatch("module::load", "module::load()"))
    #expect(try isMatch("thread::join", "std::thread::join()"))
  }

  @Test func threadsAreMatchedByNameOrID() throws {
    let thread = Profile.Thread(pid: 10, tid: 123, name: "worker-4")
    for text in ["thread:worker", "thread:123", "thread:/^w.*\\d$/", "thread:/12./", "thread:4"] {
      #expect(try FramePattern(text).matches(thread), "\(text)")
    }
    for text in ["thread:12", "thread:10", "thread:/2/", "worker", "module:worker"] {
      #expect(try !FramePattern(text).matches(thread), "\(text)")
    }
    #expect(try !isMatch("thread:f", "f", module: "f"))
  }

  @Test func processesAreMatchedByProgramOrID() throws {
    var profile = Profile(valueTypes: [.samples])
    for (pid, executable) in [(10, "/bin/sh"), (10, "/srv/worker-4"), (11, "/bin/other")] {
      var image = Origin.Process(pid: UInt32(pid))
      image.info["executable"] = executable
      profile.origin.processes.append(image)
    }
    for text in ["process:worker", "process:10", "process:/^sh$/", "process:/1[0-9]/", "process:4"]
    {
      #expect(try FramePattern(text).matches(profile.processes[0]), "\(text)")
    }
    for text in [
      "process:1", "process:/1/", "process:bin", "process:11", "worker", "thread:worker",
    ] {
      #expect(try !FramePattern(text).matches(profile.processes[0]), "\(text)")
    }
    #expect(try isMatch("process::exit", "process::exit()"))
  }

  static let mistakes: [(String, PatternError)] = [
    ("", .empty), ("module:", .empty), ("thread:", .empty), ("//", .empty), ("//i", .empty),
    ("/", .unterminated), ("/abc", .unterminated), ("module:/abc", .unterminated),
    ("/a/g", .unknownSwitch("g")), ("/a/ii", .unknownSwitch("ii")),
    ("/usr/lib/libc", .unknownSwitch("libc")),
  ]

  @Test(arguments: mistakes) func mistakesAreToldApart(text: String, error: PatternError) {
    #expect(throws: error) { try FramePattern(text) }
  }

  @Test(arguments: ["/a(/", "/[/", "/*/", "/a{2,1}/i", "/\\/", "thread:/(?</"])
  func wrongExpressionsSayWhy(text: String) throws {
    let error = try #require(throws: PatternError.self) { try FramePattern(text) }
    guard case .invalid(let reason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(!reason.isEmpty && !reason.contains("\n"))
  }
}
