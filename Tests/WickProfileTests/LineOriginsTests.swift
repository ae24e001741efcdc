import Testing
import WickProfile

@Suite struct LineOriginsTests {
  private static func callers(_ origins: LineOrigins) -> [String] {
    origins.callers.map { caller in
      let place = caller.place.map { "\($0.line.file ?? "-"):\($0.line.line) \($0.function.name)" }
      return "\(place ?? "nobody")\(caller.isInlined ? " inlined" : "") \(caller.value)"
    }
  }

  private let hot = SourceLine(file: "h.c", line: 7)

  @Test func callersAddUpToTheTotal() {
    var profile = Profile(valueTypes: [.samples])
    let h = Frame.at("h", "h.c", 7)
    let f = Frame.at("f", "f.c", 1)
    profile.add([f, h], 1)
    profile.add([f, h, .at("leaf", "l.c", 1)], 2)
    profile.add([.at("g", "g.c", 1), h], 3)
    profile.add([h], 4)
    // Recursion counts where it came to the leaf.
    profile.add([f, h, h], 5)
    profile.add([f], 6)
    let origins = LineOrigins(profile, line: hot)
    #expect(
      Self.callers(origins) == ["h.c:7 h 5", "nobody 4", "f.c:1 f 3", "g.c:1 g 3"])
    #expect(origins.callers.reduce(0) { $0 + $1.value } == 15)
    #expect(SourceValues(profile, file: "h.c").lines.first?.totalValue == 15)
    #expect(origins.chains.map(\.places.count) == [0])
    #expect(origins.instructions.isEmpty)
  }

  @Test func inlineChainsEndAtTheFunctionThatIsNotInlined() {
    var profile = Profile(valueTypes: [.samples])
    let inner = Frame.at("inner", "h.c", 7, isInlined: true)
    let middle = Frame.at("middle", "m.c", 20, isInlined: true)
    let outer = Frame.at("outer", "o.c", 30)
    let main = Frame.at("main", "main.c", 40)
    profile.add([main, outer, middle, inner], 5)
    profile.add([main, outer, inner], 2)
    profile.add([main, .at("inner", "h.c", 7)], 1)
    let origins = LineOrigins(profile, line: hot)
    #expect(
      origins.chains.map { chain in chain.places.map(\.function.name) } == [
        ["middle", "outer"], ["outer"], [],
      ])
    #expect(origins.chains.map(\.value) == [5, 2, 1])
    #expect(
      Self.callers(origins) == [
        "m.c:20 middle inlined 5", "o.c:30 outer inlined 2", "main.c:40 main 1",
      ])
  }

  @Test func chainThatIsCutAtTheRootEnds() {
    var profile = Profile(valueTypes: [.samples])
    profile.add([.at("inner", "h.c", 7, isInlined: true)], 5)
    #expect(LineOrigins(profile, line: hot).chains.map(\.places) == [[]])
  }

  @Test func instructionsKeepExactAddresses() {
    var profile = Profile(valueTypes: [.samples])
    // Two processes that map one file.
    profile.modules = [0x1000, 0x2000].map {
      Module(path: "/bin/x", buildID: [1], loadBias: $0, extent: 0..<99)
    }
    func h(_ address: UInt64, _ kind: Frame.Kind, module: Int = 0) -> Frame {
      Frame(
        kind: kind, module: module, address: address, function: "h", file: "h.c", line: 7)
    }
    profile.add([h(0x10, .instruction)], 3)
    profile.add([h(0x10, .instruction, module: 1)], 4)
    profile.add([h(0x18, .returnAddress), .at("leaf", "l.c", 1)], 5)
    profile.add([h(0x20, .asyncResume)], 6)
    let instructions = LineOrigins(profile, line: hot).instructions
    #expect(instructions.map(\.address) == [0x10, 0x17, 0x20])
    #expect(instructions.map(\.module) == [0, 0, 0])
    #expect(instructions.map(\.selfValue) == [7, 0, 6])
    #expect(instructions.map(\.totalValue) == [7, 5, 6])
  }

  @Test func oneFunctionsFramesAreTakenOut() {
    var profile = Profile(valueTypes: [.samples])
    profile.add([.at("f<Int>", "h.c", 7)], 3)
    profile.add([.at("f<Bool>", "h.c", 7)], 4)
    let function = CallTree.Function(name: "f<Int>", module: "")
    let origins = LineOrigins(profile, line: hot, function: function)
    #expect(origins.callers.map(\.value) == [3])
  }
}
