// A program whose references are known: traffic (counts|toggle N|cost)
import Glibc

final class Leaf {
  let value: Int
  init(_ value: Int) { self.value = value }
}

final class Branch {
  let leaf: Leaf
  init(_ leaf: Leaf) { self.leaf = leaf }
}

func type(of class: AnyClass) -> UnsafeRawPointer {
  unsafeBitCast(`class`, to: UnsafeRawPointer.self)
}

func address(_ object: AnyObject) -> UnsafeMutableRawPointer {
  Unmanaged.passUnretained(object).toOpaque()
}

func begin() {
  let state = arc_begin()
  guard state == 0 else {
    print("state \(state)")
    exit(0)
  }
}

// MARK: counts

/// 500 retains of a leaf, then as many releases.
@inline(never) func fill(_ all: inout [Leaf], with leaf: Leaf) {
  for _ in 0..<500 { all.append(leaf) }
}

/// A branch takes a reference of the leaf, and dies with it.
@inline(never) func grow(_ all: inout [Branch], from leaf: Leaf) {
  for _ in 0..<300 { all.append(Branch(leaf)) }
}

/// 9 to 15 bytes each, whose second word is no object, though each copy retains it.
@inline(never) func words(_ all: inout [String]) {
  var number = 10_000_000
  for _ in 0..<300 {
    all.append("n\(number)")
    number = number < 10_000_000_000_000 ? number &* 10 : 10_000_000
  }
  let copy = all
  all.reserveCapacity(1000)
  all.append(contentsOf: copy)
}

func report(_ name: String, _ type: UnsafeRawPointer) {
  print(name, arc_retains(type), arc_releases(type))
}

func counts() {
  let (leaf, branch) = (Leaf(1), Branch(Leaf(2)))
  let before = (arc_reference_count(address(leaf)), arc_reference_count(address(branch)))
  begin()
  let taken = arc_exercise(address(branch), 1000)
  arc_end()
  print("taken", taken)
  report("Branch", type(of: Branch.self))
  // Not while off.
  _ = arc_exercise(address(branch), 10)
  report("Branch", type(of: Branch.self))

  var leaves: [Leaf] = []
  var branches: [Branch] = []
  var texts: [String] = []
  begin()
  arc_compare_stacks(true)
  fill(&leaves, with: leaf)
  arc_end()
  report("Leaf", type(of: Leaf.self))
  begin()
  leaves.removeAll(keepingCapacity: true)
  grow(&branches, from: leaf)
  branches.removeAll(keepingCapacity: true)
  words(&texts)
  arc_end()
  arc_compare_stacks(false)
  report("Leaf", type(of: Leaf.self))
  report("Branch", type(of: Branch.self))
  let after = (arc_reference_count(address(leaf)), arc_reference_count(address(branch)))
  print("same", before == after, texts.count, texts[299])
  print("stacks", arc_stacks() > 1000, arc_wrong_stacks(), arc_wrong_registers())
  withExtendedLifetime((leaf, branch)) {}
}

// MARK: toggle

/// Each worker builds strings of 9 to 15 bytes and objects, and knows what must come out.
@inline(never) func work(_ seed: Int, _ shared: Branch) -> Bool {
  var texts: [String] = []
  var branches: [Branch] = []
  for number in 0..<60 {
    // 9 to 15 bytes: 8 digits to 14 behind a letter.
    var value = 10_000_000 &+ seed &+ number
    for _ in 0..<(number % 7) { value = value &* 10 }
    texts.append("n\(value)")
    branches.append(Branch(shared.leaf))
    branches.append(shared)
  }
  texts.append(contentsOf: texts)
  texts.sort()
  var (sum, expected) = (0, 0)
  for text in texts {
    guard let value = Int(text.dropFirst()) else { return false }
    sum &+= value
  }
  for number in 0..<60 {
    var value = 10_000_000 &+ seed &+ number
    for _ in 0..<(number % 7) { value = value &* 10 }
    expected &+= 2 &* value
  }
  let leaves = branches.reduce(0) { $0 + $1.leaf.value }
  return sum == expected && leaves == 120 * shared.leaf.value
}

// Unsafe on purpose: locks and atomics of the language would take references too, which are counted
// here. Each thread writes its own part.

/// What threads share: the flag, by address.
nonisolated(unsafe) let isOver = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
nonisolated(unsafe) let shared = Branch(Leaf(7))
/// Rounds and failures of each thread.
nonisolated(unsafe) let results = UnsafeMutablePointer<(Int, Int)>.allocate(capacity: 4)

func toggle(_ count: Int) async {
  isOver.initialize(to: 0)
  results.initialize(repeating: (0, 0), count: 4)
  let before = arc_reference_count(address(shared))
  let leafBefore = arc_reference_count(address(shared.leaf))
  var threads = [pthread_t](repeating: 0, count: 4)
  for index in 0..<4 {
    pthread_create(
      &threads[index], nil,
      { argument in
        let index = Int(bitPattern: argument)
        while isOver.pointee == 0 {
          results[index].0 += 1
          if !work(results[index].0 % 1000, shared) { results[index].1 += 1 }
        }
        return nil
      }, UnsafeMutableRawPointer(bitPattern: index))
  }
  var toggler = pthread_t()
  pthread_create(
    &toggler, nil,
    { argument in
      var failures = 0
      for _ in 0..<Int(bitPattern: argument) {
        failures += arc_begin() == 0 ? 0 : 1
        usleep(20)
        arc_end()
        usleep(20)
      }
      isOver.pointee = 1
      return UnsafeMutableRawPointer(bitPattern: failures)
    }, UnsafeMutableRawPointer(bitPattern: count))
  var (rounds, failures) = (0, 0)
  while isOver.pointee == 0 {
    let bad = await withTaskGroup(of: Bool.self) { group in
      for seed in 0..<20 { group.addTask { work(seed, shared) } }
      var bad = 0
      for await isRight in group where !isRight { bad += 1 }
      return bad
    }
    rounds += 20
    failures += bad
  }
  var failed: UnsafeMutableRawPointer?
  pthread_join(toggler, &failed)
  for thread in threads { pthread_join(thread, nil) }
  for index in 0..<4 { failures += results[index].1 }
  let isWorking = rounds > 0 && (0..<4).allSatisfy { results[$0].0 > 0 }
  print(
    "toggled \(count) refused \(UInt(bitPattern: failed)) wrong \(failures) worked \(isWorking)")
  print(
    "same \(arc_reference_count(address(shared)) == before)",
    arc_reference_count(address(shared.leaf)) == leafBefore,
    "seen \(arc_retains(type(of: Leaf.self)) > 0) registers \(arc_wrong_registers())")
  print(String(decoding: "ok 2499500000".utf8, as: UTF8.self))
}

// MARK: cost

func cost() {
  let leaf = Leaf(1)
  let pairs: UInt32 = 10_000_000
  _ = arc_pair_ns(address(leaf), pairs)
  let never = arc_pair_ns(address(leaf), pairs)
  guard arc_begin_idle() == 0 else { return print("refused") }
  let idle = arc_pair_ns(address(leaf), pairs)
  begin()
  let counting = arc_pair_ns(address(leaf), pairs)
  arc_end()
  let after = arc_pair_ns(address(leaf), pairs)
  print("ns per pair: never \(never), idle \(idle), counting \(counting), after \(after)")
  withExtendedLifetime(leaf) {}
}

switch CommandLine.arguments.dropFirst().first {
case "counts": counts()
case "toggle": await toggle(CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1)
case "cost": cost()
default: exit(2)
}
