// Allocates objects of its own classes and prints the truth, one line a class:
//
//   CLASS OBJECTS BYTES LIVE-OBJECTS LIVE-BYTES
//
//   classes COUNT [wait]
#if canImport(Glibc)
  import Glibc
#endif

final class Node {
  var next: Node?
  var value: Int
  init(value: Int, next: Node?) {
    self.value = value
    self.next = next
  }
}

class Animal {
  var legs: Int
  init(legs: Int) { self.legs = legs }
  func speak() -> Int { legs }
}

final class Dog: Animal {
  var name: String
  init(name: String) {
    self.name = name
    super.init(legs: 4)
  }
  override func speak() -> Int { legs + name.utf8.count }
}

final class Box<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}

/// What goes on living.
struct Kept {
  var nodes: Node?
  var dogs: [Animal] = []
  var boxes: [Box<Double>] = []
  var texts: [String: Int] = [:]
}

@inline(never) func makeNodes(_ count: Int, _ kept: inout Kept) -> Int {
  var sum = 0
  for number in 0..<count {
    let node = Node(value: number, next: kept.nodes)
    sum &+= node.value
    if number % 4 == 0 { kept.nodes = node }
  }
  return sum
}

@inline(never) func makeDogs(_ count: Int, _ kept: inout Kept) -> Int {
  var sum = 0
  for number in 0..<count {
    let dog: Animal = Dog(name: "a name that needs memory, \(number)")
    sum &+= dog.speak()
    if number % 4 == 0 { kept.dogs.append(dog) }
  }
  return sum
}

@inline(never) func makeBoxes(_ count: Int, _ kept: inout Kept) -> Int {
  var sum = 0
  for number in 0..<count {
    let box = Box(Double(number))
    sum &+= Int(box.value)
    if number % 4 == 0 { kept.boxes.append(box) }
  }
  return sum
}

@inline(never) func makeTexts(_ count: Int, _ kept: inout Kept) -> Int {
  for number in 0..<count { kept.texts["a key that needs memory, \(number)"] = number }
  return kept.texts.count
}

func wait(_ line: String) {
  guard CommandLine.arguments.last == "wait" else { return }
  print(line)
  fflush(stdout)
  var byte: UInt8 = 0
  _ = read(STDIN_FILENO, &byte, 1)
}

guard CommandLine.arguments.count > 1, let count = Int(CommandLine.arguments[1]), count > 0 else {
  print("usage: classes COUNT [wait]")
  exit(2)
}
wait("ready")
var kept = Kept()
let sum =
  makeNodes(count, &kept) &+ makeDogs(count, &kept) &+ makeBoxes(count, &kept)
  &+ makeTexts(count, &kept)
let live = (count + 3) / 4
// A header of two words, and what the classes have.
print("classes.Node \(count) \(count * 32) \(live) \(live * 32)")
print("classes.Dog \(count) \(count * 40) \(live) \(live * 40)")
print("classes.Box<Swift.Double> \(count) \(count * 24) \(live) \(live * 24)")
print("sum \(sum)")
fflush(stdout)
wait("done")
withExtendedLifetime(kept) {}
