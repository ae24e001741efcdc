import Testing
import WickProfile

@Suite struct StackTreeTests {
  @Test func startsWithTheRoot() {
    let tree = StackTree()
    #expect(tree.count == 1)
    #expect(tree.parents == [0])
    #expect(tree.frames == [-1])
    #expect(tree.framesLeafFirst(of: 0) == [])
  }

  @Test func keepsEachStackOnce() {
    var tree = StackTree()
    let first = tree.node(parent: 0, frame: 7)
    let second = tree.node(parent: first, frame: 7)
    let third = tree.node(parent: first, frame: 8)
    #expect(Set([0, first, second, third]).count == 4)
    #expect(tree.node(parent: 0, frame: 7) == first)
    #expect(tree.node(parent: first, frame: 7) == second)
    #expect(tree.framesLeafFirst(of: third) == [8, 7])
  }

  /// Against a dictionary, through several sizes of the hash table, and with what is forgotten at times.
  @Test func agreesWithADictionary() {
    var tree = StackTree()
    var known: [[Int]: Int] = [:]
    var state: UInt64 = 3
    for _ in 0..<50_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let parent = Int(state >> 40) % tree.count
      let frame = Int(state >> 33 & 15)
      if state >> 50 == 0 { tree.forgetLookup() }
      let node = tree.node(parent: parent, frame: frame)
      let key = [parent, frame]
      if let expected = known[key] {
        #expect(node == expected)
      } else {
        #expect(node == tree.count - 1)
        known[key] = node
      }
    }
    #expect(tree.count == known.count + 1)
    #expect((1..<tree.count).allSatisfy { tree.parents[$0] < $0 })
  }

  @Test func holdsVeryDeepStacks() {
    var tree = StackTree()
    var node = 0
    for frame in 0..<100_000 { node = tree.node(parent: node, frame: frame) }
    #expect(tree.framesLeafFirst(of: node) == (0..<100_000).reversed())
  }
}
