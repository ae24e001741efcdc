// Allocates objects of its own classes and prints the truth, one line a class:
//
//   CLASS OBJECTS BYTES LIVE-OBJECTS LIVE-BYTES
//
//   classes COUNT [wait|load]
//
// With "load" two threads make and drop objects, and look that they are right, until a byte comes on standard
// input, after "ready" was printed.
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

/// Says when it is over, and counts, from any thread: a pipe and bytes need no lock.
struct Load: Sendable {
  let over: [Int32]
  let results: [Int32]
}

func makeAndDrop(_ load: Load) {
  var state = pollfd(fd: load.over[0], events: Int16(POLLIN), revents: 0)
  while poll(&state, 1, 0) == 0 {
    var kept = Kept()
    let sum = makeNodes(100, &kept) &+ makeDogs(100, &kept) &+ makeBoxes(100, &kept)
    let texts = makeTexts(100, &kept)
    let isRight = kept.texts["a key that needs memory, 99"] == 99 && kept.dogs.count == 25
    var result: UInt8 = sum == 4950 + 3190 + 4950 && texts == 100 && isRight ? 1 : 0
    if result == 0 { write(load.results[1], &result, 1) }
  }
}

/// Until there is a byte on standard input.
func load() -> Never {
  func makePipe() -> [Int32] {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { exit(3) }
    return ends
  }
  let load = Load(over: makePipe(), results: makePipe())
  var threads: [pthread_t] = []
  for _ in 0..<2 {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(load)).toOpaque()
    pthread_create(
      &thread, nil,
      { argument in
        if let argument {
          makeAndDrop(Unmanaged<Box<Load>>.fromOpaque(argument).takeRetainedValue().value)
        }
        return nil
      }, box)
    threads.append(thread)
  }
  waitForByte("ready")
  close(load.over[1])
  for thread in threads { pthread_join(thread, nil) }
  close(load.results[1])
  var byte: UInt8 = 0
  let isWrong = read(load.results[0], &byte, 1) > 0
  print(isWrong ? "wrong" : "right")
  exit(isWrong ? 1 : 0)
}

func wait(_ line: String) {
  guard CommandLine.arguments.last == "wait" else { return }
  waitForByte(line)
}

func waitForByte(_ line: String) {
  print(line)
  fflush(stdout)
  var byte: UInt8 = 0
  _ = read(STDIN_FILENO, &byte, 1)
}

guard CommandLine.arguments.count > 1, let count = Int(CommandLine.arguments[1]), count > 0 else {
  print("usage: classes COUNT [wait|load]")
  exit(2)
}
if CommandLine.arguments.last == "load" { load() }
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
