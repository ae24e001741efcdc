import Testing
import WickProfile
import WickRender

@Suite struct AnnotationTargetTests {
  private static let profile = {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = ["/bin/a", "/bin/b"].map {
      Module(path: $0, buildID: [], loadBias: 0, extent: 0..<9)
    }
    let frames: [(String, Int, String?)] = [
      ("run", 0, "/src/x/run.c"), ("run", 1, "/src/y/run.c"), ("ns::Box<int>::push(int)", 0, nil),
      ("(anonymous namespace)::pull(char const*)", 0, "plain.c"), ("Server.handle(_:)", 0, nil),
      ("Client.handle(_:)", 0, nil), ("only(_:)", 0, "/odd:7"), ("handle_all", 0, nil),
    ]
    for (name, module, file) in frames {
      let frame = profile.intern(
        Frame(module: module, address: 1, function: name, file: file, line: 5))
      profile.add(Profile.Sample(stack: profile.stack(parent: 0, frame: frame)), values: [1])
    }
    return profile
  }()

  private func find(_ word: String) throws(AnnotationTarget.Failure) -> String {
    switch try AnnotationTarget(word, in: Self.profile) {
    case .source(let file, let line): "\(file) \(line.map(String.init) ?? "all")"
    case .function(let function): "\(function.module)!\(function.name)"
    }
  }

  @Test(arguments: [
    ("/src/x/run.c", "/src/x/run.c all"), ("x/run.c", "/src/x/run.c all"),
    ("y/run.c:12", "/src/y/run.c 12"), ("plain.c", "plain.c all"), ("plain.c:1", "plain.c 1"),
    ("./plain.c", "plain.c all"), ("../.././x/run.c:3", "/src/x/run.c 3"),
    ("odd:7", "/odd:7 all"), ("odd:7:7", "/odd:7 7"), ("a!run", "a!run"),
    ("push", "a!ns::Box<int>::push(int)"), ("Box::push", "a!ns::Box<int>::push(int)"),
    ("ns::Box<int>::push(int)", "a!ns::Box<int>::push(int)"),
    ("pull", "a!(anonymous namespace)::pull(char const*)"),
    ("Server.handle", "a!Server.handle(_:)"), ("only", "a!only(_:)"),
    ("only(_:)", "a!only(_:)"), ("handle_all", "a!handle_all"),
  ]) func namesAreFound(word: String, found: String) throws {
    #expect(try find(word) == found)
  }

  @Test(arguments: [
    ("run.c", ["/src/x/run.c", "/src/y/run.c"]), ("run", ["a!run", "b!run"]),
    ("handle", ["a!Client.handle(_:)", "a!Server.handle(_:)"]),
  ]) func ambiguousNamesListTheirCandidates(word: String, candidates: [String]) throws {
    #expect(throws: AnnotationTarget.Failure.ambiguous(candidates: candidates)) {
      try find(word)
    }
    // Each candidate is a way out.
    for candidate in candidates { _ = try find(candidate) }
  }

  @Test(arguments: [
    "", "un.c", "all", "ush", "run.c:", "run.c:x", ":", "a!", "odd:8", "./", "../", "./..",
  ])
  func othersAreUnknown(word: String) {
    #expect(throws: AnnotationTarget.Failure.unknown) { try find(word) }
  }
}
