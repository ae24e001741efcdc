import Testing
import WickProfile

@Suite struct FunctionTableTests {
  static func rows(_ profile: Profile) -> [String] {
    FunctionTable(CallTree(profile)).rows.map {
      "\($0.function.name) \($0.selfValue) \($0.totalValue)"
    }
  }

  @Test func countsRecursionOnce() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("main", "f", "g", "f", "f", value: 1)
    profile.add("main", "f", "g", value: 2)
    profile.add("main", "g", "f", value: 4)
    profile.add("f", value: 8)
    #expect(Self.rows(profile) == ["f 13 15", "g 2 7", "main 0 7"])
    #expect(FunctionTable(CallTree(profile)).total == 15)
  }

  @Test func ordersBySelfThenTotalThenName() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("z", "hot", value: 5)
    profile.add("y", "b", value: 1)
    profile.add("y", "a", value: 1)
    #expect(Self.rows(profile) == ["hot 5 5", "a 1 1", "b 1 1", "z 0 5", "y 0 2"])
  }

  @Test func sumsAgree() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("a", "b", value: 3)
    profile.add("b", "a", value: 4)
    profile.add(value: 5)
    let table = FunctionTable(CallTree(profile))
    #expect(table.total == 12)
    #expect(table.rows.reduce(0) { $0 + $1.selfValue } == 7)
    #expect(Self.rows(profile) == ["a 4 7", "b 3 7"])
  }

  @Test func saturates() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("a", "f", value: .max)
    profile.add("b", "f", value: .max)
    #expect(Self.rows(profile).first == "f \(Int64.max) \(Int64.max)")
  }
}
