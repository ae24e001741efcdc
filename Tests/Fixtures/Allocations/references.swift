// A program whose references are known: 500 are taken by an array in `fill`, and given up with it; the
// last one is that of the object's maker.
final class Leaf {
  let value: Int
  init(_ value: Int) { self.value = value }
}

@inline(never) func fill(_ all: inout [Leaf], with leaf: Leaf) {
  for _ in 0..<500 { all.append(leaf) }
}

@inline(never) func empty(_ all: inout [Leaf]) { all = [] }

@inline(never) func run(_ value: Int) -> Int {
  let leaf = Leaf(value)
  var all: [Leaf] = []
  fill(&all, with: leaf)
  let sum = all.reduce(0) { $0 + $1.value }
  empty(&all)
  return sum + leaf.value
}

print("sum", run(CommandLine.argc > 9 ? 7 : 3))
