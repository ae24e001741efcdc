import Testing
import WickProfile

/// Functions that only call others leave the stacks, and nothing is lost.
@Suite struct ForwardingTests {
  /// A profile of folded stacks, root first.
  private func profile(_ stacks: [([String], Int64)]) -> Profile {
    var profile = Profile(valueTypes: [ValueType(name: "samples", unit: "count")])
    for (names, value) in stacks {
      var stack = 0
      for name in names {
        stack = profile.stack(parent: stack, frame: profile.intern(Frame(function: name)))
      }
      profile.add(Profile.Sample(stack: stack), values: [value])
    }
    return profile
  }

  private func folded(_ stacks: [([String], Int64)]) -> [String: Int64] {
    let result = profile(stacks).foldingForwarders { frame in
      switch frame.function {
      case "thunk": .thunk
      case "apply x": .to("x")
      case "witness run": .method("run()")
      default: nil
      }
    }
    var values: [String: Int64] = [:]
    for (row, sample) in result.samples.enumerated() {
      let names = result.stacks.framesLeafFirst(of: sample.stack).reversed().map {
        result.frames[$0].function
      }
      values[names.joined(separator: ";"), default: 0] += result.columns[0][row]
    }
    return values
  }

  @Test func thunksGo() {
    #expect(
      folded([(["a", "thunk", "b"], 2), (["a", "thunk"], 3), (["a"], 4), (["a", "b"], 1)])
        == ["a;b": 3, "a": 7])
  }

  @Test func stackOfThunksStays() {
    #expect(folded([(["thunk"], 5)]) == ["thunk": 5])
  }

  @Test func forwardersAreTheirFunction() {
    #expect(
      folded([(["a", "apply x", "x", "b"], 2), (["a", "apply x"], 3)]) == ["a;x;b": 2, "a;x": 3])
    #expect(folded([(["x", "apply x", "b"], 1)]) == ["x;b": 1])
    #expect(folded([(["a", "apply x", "b"], 1)]) == ["a;x;b": 1])
    #expect(folded([(["a", "apply x", "thunk", "x"], 1)]) == ["a;x": 1])
  }

  @Test func witnessesGoOnlyBesideTheirMethod() {
    #expect(
      folded([(["a", "witness run", "static T.run()"], 2), (["a", "witness run", "b"], 3)])
        == ["a;static T.run()": 2, "a;witness run;b": 3])
    #expect(folded([(["a", "witness run", "rerun()"], 1)]) == ["a;witness run;rerun()": 1])
  }

  @Test func recursionIsNotFolded() {
    #expect(folded([(["x", "x", "x"], 1)]) == ["x;x;x": 1])
  }
}
