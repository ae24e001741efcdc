import Testing
import WickProfile

@Suite struct LineTableTests {
  static func rows(_ profile: Profile, column: Int = 0) -> [String] {
    LineTable(profile, column: column).rows.map { row in
      let line = row.place.line
      return "\(line.file ?? "-"):\(line.line) \(row.place.function.name) "
        + "\(row.selfValues) \(row.totalValues)"
    }
  }

  private let main = Frame.at("main", "a.c", 9)

  @Test func countsALineOnceInEachStack() {
    var profile = Profile(valueTypes: [.samples, .cpu])
    let f = Frame.at("f", "a.c", 3)
    let g = Frame.at("g", "a.c", 5)
    profile.add([main, f, g, f, f], 1, 10)
    profile.add([main, f, g], 2, 20)
    profile.add([main, g, f], 4, 40)
    profile.add([f], 8, 80)
    #expect(
      Self.rows(profile) == [
        "a.c:3 f [13, 130] [15, 150]", "a.c:5 g [2, 20] [7, 70]", "a.c:9 main [0, 0] [7, 70]",
      ])
    let table = LineTable(profile)
    #expect(table.totals == [15, 150])
    #expect(table.rows.reduce(0) { $0 + $1.selfValues[0] } == 15)
  }

  @Test func ordersByTheColumnThenByPlace() {
    var profile = Profile(valueTypes: [.samples, .cpu])
    profile.add([.at("b", "b.c", 1)], 1, 5)
    profile.add([.at("a", "b.c", 1)], 1, 5)
    profile.add([.at("z", "b.c", 0)], 1, 5)
    profile.add([.at("z", "a.c", 7)], 1, 5)
    profile.add([.at("n", nil, 0)], 1, 5)
    profile.add([.at("late", "z.c", 1)], 3, 1)
    let names = LineTable(profile).rows.map(\.place.function.name)
    #expect(names == ["late", "z", "z", "a", "b", "n"])
    #expect(LineTable(profile, column: 1).rows.map(\.place.function.name).last == "late")
  }

  @Test func keepsWhatHasNoLineByFunction() {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = [Module(path: "/x/lib.so", buildID: [], loadBias: 0, extent: 0..<99)]
    profile.add([.at("f", nil, 0, address: 1)], 1)
    profile.add([.at("f", nil, 0, address: 2)], 2)
    profile.add([.at("f", "", 7, address: 3)], 4)
    profile.add([Frame(module: 0, address: 0x10)], 8)
    let rows = LineTable(profile).rows
    #expect(rows.map(\.selfValues) == [[8], [7]])
    #expect(rows.map(\.place.function.name) == ["lib.so+0x10", "f"])
    #expect(rows.allSatisfy { $0.place.line == SourceLine(file: nil, line: 0) })
    #expect(rows.allSatisfy { $0.place.function.module == "lib.so" })
  }

  @Test func sameLineInTwoFunctionsIsTwoPlacesButOneLineOfTheSource() {
    var profile = Profile(valueTypes: [.samples])
    profile.add([.at("f<Int>", "g.swift", 3), .at("f<Bool>", "g.swift", 3)], 5)
    #expect(
      Self.rows(profile) == ["g.swift:3 f<Bool> [5] [5]", "g.swift:3 f<Int> [0] [5]"])
    let values = SourceValues(profile, file: "g.swift")
    #expect(values.lines.map { [Int64($0.number), $0.selfValue, $0.totalValue] } == [[3, 5, 5]])
    #expect((values.selfValue, values.totalValue) == (5, 5))
  }

  @Test func saturates() {
    var profile = Profile(valueTypes: [.samples])
    profile.add([main, .at("f", "a.c", 1)], .max)
    profile.add([.at("f", "a.c", 1)], .max)
    #expect(Self.rows(profile).first == "a.c:1 f [\(Int64.max)] [\(Int64.max)]")
  }

  @Test func veryDeepStacksAreSummed() {
    var profile = Profile(valueTypes: [.samples])
    let frames = (0..<200_000).map { Frame.at("f\($0 % 3)", "a.c", UInt32($0 % 3 + 1)) }
    profile.add(frames, 2)
    #expect(
      Self.rows(profile) == ["a.c:2 f1 [2] [2]", "a.c:1 f0 [0] [2]", "a.c:3 f2 [0] [2]"])
  }

  /// Totals of random trees, against a count stack by stack.
  @Test func agreesWithACountOfEachStack() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      var profile = Profile(valueTypes: [.samples])
      var own: [UInt32: Int64] = [:]
      var total: [UInt32: Int64] = [:]
      for _ in 0..<100 {
        let lines = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
          UInt32.random(in: 1...5, using: &generator)
        }
        let weight = Int64.random(in: 0...9, using: &generator)
        profile.add(lines.map { .at("f", "a.c", $0) }, weight)
        own[lines.last ?? 0, default: 0] += weight
        for line in Set(lines) { total[line, default: 0] += weight }
      }
      let values = SourceValues(profile, file: "a.c")
      for line in values.lines {
        #expect(line.selfValue == own[line.number] ?? 0)
        #expect(line.totalValue == total[line.number])
      }
      #expect(values.selfValue == profile.total(of: 0))
    }
  }
}
