// A Swift program that crashes in the way that its argument names; the runtime prints a backtrace
// where SWIFT_BACKTRACE says so.
import Glibc

@inline(never) func burn(milliseconds: Int) -> Double {
  var sum = 0.0
  let end = clock() + milliseconds * Int(CLOCKS_PER_SEC) / 1000
  while clock() < end {
    for number in 0..<10_000 { sum += Double(number).squareRoot() }
  }
  return sum
}

@inline(never) func crashInnermost(_ way: String, sum: Double) {
  switch way {
  case "fatal":
    fatalError("a fatal error, \(sum > 0)")
  case "null":
    unsafe UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = Int(sum)
  case "signal":
    raise(SIGTRAP)
  case "bounds":
    let empty: [Int] = []
    print(empty[Int(sum) + 1])
  default:
    exit(2)
  }
}

@inline(never) func crashMiddle(_ way: String) -> Double {
  let sum = burn(milliseconds: 200)
  crashInnermost(way, sum: sum)
  return sum + 1
}

@inline(never) func crashOutermost(_ way: String) -> Double {
  crashMiddle(way) + 1
}

print(crashOutermost(CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "") > 0)
