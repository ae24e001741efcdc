import Testing
import WickProfile

@Suite struct CallersTests {
  private static func rows(_ profile: Profile) -> [String] { CallTreeTests.rows(CallTree(profile)) }

  private static var profile: Profile {
    var profile = Profile(valueTypes: [.samples])
    profile.add("main", "a", "f", "g", value: 1)
    profile.add("main", "b", "f", value: 2)
    profile.add("main", "a", "f", "b", "f", "g", value: 4)
    profile.add("f", value: 8)
    profile.add("main", "a", value: 16)
    profile.add("main", "f2", "g", value: 32)
    return profile
  }

  @Test func calleesBeginAtTheFirstOfARecursion() throws {
    #expect(
      Self.rows(Self.profile.callees(of: try FramePattern("/^f$/"))) == [
        "root 0 0 15", "f 1 10 15", "b 2 0 4", "f 3 0 4", "g 4 4 4", "g 2 1 1",
      ])
    #expect(
      Self.rows(Self.profile.callees(of: try FramePattern("f"))) == [
        "root 0 0 47", "f 1 10 15", "b 2 0 4", "f 3 0 4", "g 4 4 4", "g 2 1 1", "f2 1 0 32",
        "g 2 32 32",
      ])
  }

  @Test func callersLeadToTheEntries() throws {
    #expect(
      Self.rows(Self.profile.callers(of: try FramePattern("/^f$/"))) == [
        "root 0 0 15", "f 1 8 15", "a 2 0 5", "main 3 5 5", "b 2 0 2", "main 3 2 2",
      ])
    #expect(
      Self.rows(Self.profile.callers(of: try FramePattern("g"))) == [
        "root 0 0 37", "g 1 0 37", "f 2 0 5", "a 3 0 1", "main 4 1 1", "b 3 0 4", "f 4 0 4",
        "a 5 0 4", "main 6 4 4", "f2 2 0 32", "main 3 32 32",
      ])
  }

  @Test func nothingHasNeither() throws {
    let pattern = try FramePattern("nothing")
    #expect(Self.rows(Self.profile.callers(of: pattern)) == ["root 0 0 0"])
    #expect(Self.rows(Self.profile.callees(of: pattern)) == ["root 0 0 0"])
  }

  @Test func linesOfOneFunctionAreOneCaller() throws {
    var profile = Profile(valueTypes: [.samples])
    profile.add([.at("main", "m.c", 1), .at("f", "f.c", 1)], 1)
    profile.add([.at("main", "m.c", 2), .at("f", "f.c", 2)], 2)
    #expect(
      Self.rows(profile.callers(of: try FramePattern("f"))) == [
        "root 0 0 3", "f 1 0 3", "main 2 3 3",
      ])
  }

  @Test func veryDeepStacksHaveCallers() throws {
    var profile = Profile(valueTypes: [.samples])
    let frames = ["f", "g", "leaf"].map { profile.intern(Frame(function: $0)) }
    var node = 0
    for depth in 0..<100_000 { node = profile.stack(parent: node, frame: frames[depth % 2]) }
    profile.add(Profile.Sample(stack: profile.stack(parent: node, frame: frames[2])), values: [3])
    let tree = CallTree(profile.callers(of: try FramePattern("leaf")))
    #expect(tree.nodes.count == 100_002)
    #expect(tree.nodes.last?.selfValue == 3)
    #expect(CallTree(profile.callees(of: try FramePattern("f"))).nodes.count == 100_002)
  }

  /// All callers of a function that is called at each depth of a deep recursion are too many.
  @Test func tooManyCallersAreCut() throws {
    var profile = Profile(valueTypes: [.samples])
    let frames = ["g", "leaf"].map { profile.intern(Frame(function: $0)) }
    var node = 0
    for depth in 1...20_000 {
      node = profile.stack(parent: node, frame: frames[0])
      profile.add(
        Profile.Sample(stack: profile.stack(parent: node, frame: frames[1])),
        values: [depth == 20_000 ? 1000 : 1])
    }
    let callers = profile.callers(of: try FramePattern("leaf"))
    #expect(callers.total(of: 0) == profile.total(of: 0))
    let tree = CallTree(callers)
    let cut = tree.nodes.filter {
      $0.function >= 0 && tree.functions[$0.function].name == "[callers not followed]"
    }
    #expect(!cut.isEmpty)
    // What costs most is followed first.
    #expect(tree.nodes.map(\.depth).max() == 20_001)
  }
}
