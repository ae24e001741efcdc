import Testing
import WickProfile

@Suite struct CallTreeTests {
  /// Name, depth, self and total of each node in order.
  static func rows(_ tree: CallTree) -> [String] {
    tree.nodes.map { node in
      let name = node.function < 0 ? "root" : tree.functions[node.function].name
      return "\(name) \(node.depth) \(node.selfValue) \(node.totalValue)"
    }
  }

  @Test func sumsSelfAndTotal() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("main", "b", "c", value: 1)
    profile.add("main", "a", value: 2)
    profile.add("main", "b", value: 4)
    profile.add("main", "b", "c", value: 8)
    profile.add(value: 16)
    let tree = CallTree(profile)
    #expect(
      Self.rows(tree) == ["root 0 16 31", "main 1 0 15", "a 2 2 2", "b 2 4 13", "c 3 9 9"])
    #expect(tree.nodes.map(\.parent) == [0, 0, 1, 1, 3])
    #expect(tree.nodes.map(\.end) == [5, 5, 3, 5, 5])
    #expect(tree.valueType == .samples)
  }

  @Test func mergesFramesOfOneFunction() {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = ["/a/lib", "/b/lib", "/b/other"].map {
      Module(path: $0, buildID: [], loadBias: 0, extent: 0..<1)
    }
    for (module, line) in [(0, UInt32(1)), (0, 2), (1, 1), (2, 1)] {
      let frame = profile.intern(
        Frame(module: module, address: UInt64(line), function: "f", file: "f.c", line: line))
      profile.add(
        Profile.Sample(stack: profile.stack(parent: 0, frame: frame)), values: [1])
    }
    let tree = CallTree(profile)
    #expect(
      tree.functions == [
        CallTree.Function(name: "f", module: "lib"), CallTree.Function(name: "f", module: "other"),
      ])
    #expect(Self.rows(tree) == ["root 0 0 4", "f 1 3 3", "f 1 1 1"])
  }

  @Test func orderDependsOnContentOnly() {
    // The first two spell one name.
    let names = ["\u{e9}", "e\u{301}", "b", "a", "B", "z", "", "aa"]
    var profiles = [Profile(valueTypes: [.samples]), Profile(valueTypes: [.samples])]
    for name in names { profiles[0].add("r", name, value: 1) }
    for name in names.reversed() { profiles[1].add("r", name, value: 1) }
    let trees = profiles.map { CallTree($0) }
    #expect(Self.rows(trees[0]) == Self.rows(trees[1]))
    let children = trees[0].nodes.dropFirst(2).map { trees[0].functions[$0.function].name }
    #expect(children == ["B", "[unknown]", "a", "aa", "b", "z", "\u{e9}"])
  }

  @Test func readsAnyColumn() {
    var profile = Profile(valueTypes: [.samples, .cpu])
    let node = profile.stack(parent: 0, frame: profile.intern(Frame(function: "f")))
    profile.add(Profile.Sample(stack: node), values: [1, 10])
    let tree = CallTree(profile, column: 1)
    #expect(tree.valueType == .cpu)
    #expect(tree.nodes[0].totalValue == 10)
  }

  @Test func isARootForAnEmptyProfile() {
    #expect(Self.rows(CallTree(Profile(valueTypes: [.samples]))) == ["root 0 0 0"])
  }

  @Test func holdsVeryDeepStacks() {
    var profile = Profile(valueTypes: [.samples])
    let frames = ["f", "g"].map { profile.intern(Frame(function: $0)) }
    var node = 0
    for depth in 0..<100_000 { node = profile.stack(parent: node, frame: frames[depth % 2]) }
    profile.add(Profile.Sample(stack: node), values: [3])
    let tree = CallTree(profile)
    #expect(tree.nodes.count == 100_001)
    #expect(tree.nodes.allSatisfy { $0.totalValue == 3 && $0.end == 100_001 })
    #expect(tree.nodes.last?.depth == 100_000)
    #expect(FunctionTable(tree).rows.map(\.totalValue) == [3, 3])
  }

  @Test func saturates() {
    var profile = Profile(valueTypes: [.samples])
    profile.add("a", "b", value: .max)
    profile.add("a", "c", value: .max)
    let tree = CallTree(profile)
    #expect(tree.nodes[0].totalValue == .max)
    #expect(tree.nodes[1].totalValue == .max)
  }
}
