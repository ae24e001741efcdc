import Testing
import WickProfile

@Suite struct SourceValuesTests {
  private var profile: Profile {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = [Module(path: "/bin/x", buildID: [], loadBias: 0, extent: 0..<99)]
    let main = Frame.at("main", "m.c", 2, address: 1)
    profile.add([main, .at("f", "f.c", 4, address: 2), .at("g", "f.c", 9, address: 3)], 5)
    profile.add([main, .at("f", "f.c", 4, address: 2)], 2)
    profile.add([main, .at("f", "f.c", 0, address: 4)], 1)
    profile.add([.at("?", nil, 0)], 16)
    return profile
  }

  @Test func filesAreOrderedBySelf() {
    let rows = SourceTable(profile).rows
    #expect(rows.map(\.file) == ["f.c", "m.c"])
    #expect(rows.map(\.selfValue) == [8, 0])
    #expect(rows.map(\.totalValue) == [8, 8])
    #expect(SourceTable(profile) { $0.function == "main" }.rows.map(\.file) == ["m.c"])
  }

  @Test func linesOfAFileAreOrderedByNumber() {
    let values = SourceValues(profile, file: "f.c")
    #expect(values.lines.map(\.number) == [0, 4, 9])
    #expect(values.lines.map(\.selfValue) == [1, 2, 5])
    #expect(values.lines.map(\.totalValue) == [1, 7, 5])
    #expect((values.selfValue, values.totalValue) == (8, 8))
    #expect(values.hottest?.number == 9)
    #expect(values.modules == [0])
  }

  @Test func oneFunctionsPartIsTakenOut() {
    let function = CallTree.Function(name: "f", module: "x")
    let values = SourceValues(profile, file: "f.c", function: function)
    #expect(values.lines.map(\.number) == [0, 4])
    #expect((values.selfValue, values.totalValue) == (3, 8))
    // The line with more in all: no line of its own is hotter.
    #expect(values.hottest?.number == 4)
  }

  @Test func unknownFileHasNothing() {
    let values = SourceValues(profile, file: "none.c")
    #expect(values.lines.isEmpty && values.hottest == nil && values.totalValue == 0)
  }
}
