// Prints, for objects of many classes, what the runtime says that they are and what the agent finds:
// "TRUTH\tFOUND" a line.
import Foundation

@_silgen_name("probe_begin") func probeBegin()
@_silgen_name("probe_ask") func probeAsk(_ object: UnsafeRawPointer) -> UInt32
@_silgen_name("probe_resolve") func probeResolve()
@_silgen_name("probe_name") func probeName(_ id: UInt32) -> UnsafePointer<CChar>

struct Case {
  var truth: String
  var id: UInt32
}
// Unsafe is sound: this program has one thread.
nonisolated(unsafe) var cases: [Case] = []
nonisolated(unsafe) var kept: [Any] = []

/// An object of a class, by what its type says unless that is told.
func check(_ object: AnyObject, is truth: String? = nil) {
  kept.append(object)
  let pointer = UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
  cases.append(
    Case(truth: truth ?? "class " + String(reflecting: type(of: object)), id: probeAsk(pointer)))
}

/// The `place`-th word of a value, which points to an object that has no type in the language, or none
/// that can be asked for.
func check<T>(_ value: T, word place: Int = 0, is truth: String) {
  kept.append(value)
  withUnsafeBytes(of: value) {
    let pointer = $0.load(fromByteOffset: place * 8, as: UnsafeRawPointer.self)
    cases.append(Case(truth: truth, id: probeAsk(pointer)))
  }
}

class Node {
  var next: Node?
}
final class Leaf: Node {}
final class Box<T> {
  var value: T
  init(_ value: T) { self.value = value }
  final class Inner<U> {
    final class Innermost {}
  }
}
class Pair<A: Hashable, B: Comparable> {}
final class Derived: Pair<Int, String> {}
final class GenericDerived<T>: Pair<Int, String> { var value: T? }
final class Constrained<T: Collection> where T.Element: Hashable {}
final class Packed<each T> {}
func pack<each T>(_ value: repeat each T) -> Packed<repeat each T> { Packed() }
final class Sized<let count: Int, T> {}
typealias Negative = Sized<-3, String>
actor Account {
  var balance = 0
}
enum Space {
  final class Star {}
  struct System<T> { final class Planet {} }
}
private final class Hidden {}
final class 星 {}
protocol Shape {}
protocol Round: AnyObject {}
protocol Container<Item> { associatedtype Item }
struct Circle: Shape { var radius = 1.0 }
class Base: Round, Shape {}
enum Failure: Error { case worst, bad(String) }
struct Detailed: Error { var text = "x", code = 7, other = [1, 2] }
extension Array { final class Nested {}; final class Deep<U> {} }
extension Dictionary.Keys { final class OfKeys {} }
extension Int { final class InInt {} }
extension Box { final class FromExtension {} }
extension Box where T: Equatable { final class FromConstraint<U> {} }
extension Space.System { final class Moon {} }
extension Data { final class OfData {} }
extension IndexPath { final class OfPath {} }
extension timespec { final class OfTime {} }
/// Of a library whose classes may grow: its members are found at run time.
final class Formatting: Formatter {}
final class GenericFormatting<T>: Formatter { var value: T? }

func local() -> AnyObject {
  final class Local {}
  return Local()
}
@inline(never) func counter(_ start: Int) -> () -> Int {
  var count = start
  return {
    count += 1; return count
  }
}
@inline(never) func keep<T>(_ value: T) -> () -> T {
  var stored = value
  return {
    let old = stored; stored = value; return old
  }
}

@main struct Program {
  static func main() async {
    probeBegin()
    ask()
    await askConcurrency()
    probeResolve()
    for one in cases {
      print("\(one.truth)\t\(String(cString: probeName(one.id)))")
    }
  }

  static func ask() {
    check(Node())
    check(Leaf())
    check(Account())
    check(Space.Star())
    check(Space.System<Int>.Planet())
    check(Space.System<Int>.Moon())
    check(Hidden())
    check(local())
    check(星())
    check(Derived())
    check(GenericDerived<[Int]>())
    check(Pair<String, Double>())
    check(Constrained<[Int]>())
    check(Formatting())
    check(GenericFormatting<Int>())
    check(GenericFormatting<Formatting>())
    check(pack())
    check(Packed<Int>())
    check(Packed<Int, [String], Node>())
    check(Sized<12, Int>())
    check(Negative())
    boxes()
    nested()
    library()
    runtime()
  }

  static func boxes() {
    check(Box(1))
    check(Box("text"))
    check(Box(Node()))
    check(Box(Box(Box(1))))
    check(Box([["a": 1 as Int?]]))
    check(Box(Set([1])))
    check(Box<Int?>(nil))
    check(Box<Int??>(nil))
    check(Box<Any>(1))
    check(Box<AnyObject>(Node()))
    check(Box<Node.Type>(Node.self))
    check(Box<Any.Type>(Int.self))
    check(Box<any Shape>(Circle()))
    check(Box<any Shape.Type>(Circle.self))
    check(Box<any Error>(Failure.worst))
    check(Box<any Shape & Round>(Base()))
    check(Box<Base & Round>(Base()))
    check(Box<any Round>(Base()))
    check(Box<any Hashable>(1))
    check(Box(()))
    check(Box((1, "a")))
    check(Box((x: 1, y: 2.5)))
    check(Box((1, y: "b", 3)))
    check(Box<() -> Void>({}))
    check(Box<(Int, String) -> Bool>({ _, _ in true }))
    check(Box<((Int, String)) -> Bool>({ _ in true }))
    check(Box<@Sendable (Int) async throws -> String>({ "\($0)" }))
    check(Box<(inout Int, [Int]...) -> Void>({ _, _ in }))
    check(Box<@MainActor (Int) -> Void>({ _ in }))
    check(Box<@MainActor @Sendable (inout Int, Int, Int) async -> Void>({ _, _, _ in }))
    check(Box<@convention(c) (Int) -> Int>({ $0 }))
    check(Box(1..<2))
    check(Box(Circle()))
    check(Box(Data()))
    check(Box(URL(fileURLWithPath: "/")))
    check(Box(timespec()))
    check(Box(Dictionary<Int, Int>.Index?.none))
    check(Box("abc".utf8.lazy.map { Int($0) }))
  }

  static func nested() {
    check(Box<Int>.Inner<String>())
    check(Box<Int>.Inner<String>.Innermost())
    check(Box<Int>.FromExtension())
    check(Box<Int>.FromConstraint<[Int]>())
    check(Array<Int>.Nested())
    check(Array<Int>.Deep<String>())
    // The runtime says <A, B>.
    check(
      [Int: String].Keys.OfKeys(),
      is: "class Swift.Dictionary<Swift.Int, Swift.String>.Keys.OfKeys")
    check(Int.InInt())
    check(Data.OfData())
    check(IndexPath.OfPath())
    check(timespec.OfTime())
  }

  static func library() {
    // The storage is the value's only word.
    let numbers = (0..<100).map { $0 }
    check(numbers, is: "class Swift._ContiguousArrayStorage<Swift.Int>")
    check([Circle()], is: "class Swift._ContiguousArrayStorage<objects.Circle>")
    // Arrays of all classes share one kind of storage.
    check([Node()], is: "class Swift._ContiguousArrayStorage<Swift.AnyObject>")
    check([(1, "a")], is: "class Swift._ContiguousArrayStorage<(Swift.Int, Swift.String)>")
    check(
      Dictionary(uniqueKeysWithValues: numbers.map { ($0, "\($0)") }),
      is: "class Swift._DictionaryStorage<Swift.Int, Swift.String>")
    check(Set(numbers), is: "class Swift._SetStorage<Swift.Int>")
    // A native string's object is 32 bytes before what its second word, without its flags, says.
    let text = String(repeating: "long enough ", count: numbers.count)
    kept.append(text)
    let word = withUnsafeBytes(of: text) { $0.load(fromByteOffset: 8, as: UInt.self) }
    check(word & (1 << 56 - 1), is: "class Swift.__StringStorage")
    check(JSONEncoder())
    check(NSObject())
    check(NSMutableArray())
    check(DispatchQueue(label: "x"))
    check(Thread())
    check(ManagedBuffer<Int, UInt8>.create(minimumCapacity: 3) { _ in 1 })
  }

  static func runtime() {
    check(counter(Int.random(in: 0..<9)), word: 1, is: "runtime closure context")
    check(keep(numbers()), word: 1, is: "runtime closure context")
    check(Failure.bad("x") as any Error, is: "runtime error box")
    check(Detailed() as any Error, is: "runtime error box")
  }

  @inline(never) static func numbers() -> [Int] { (0..<3).map { $0 } }

  static func askConcurrency() async {
    let task = Task { try? await Task.sleep(for: .seconds(1)) }
    check(task, is: "runtime task")
    let (stream, continuation) = AsyncStream<Int>.makeStream()
    check(continuation, is: "class Swift.AsyncStream<Swift.Int>._Storage")
    kept.append(stream)
    task.cancel()
  }
}
