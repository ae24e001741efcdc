import CWickAgent
import Foundation
import WickProfile
import WickRecording

// Figures of Wick itself, each beside a peer in the same run. See Samples/README.md.

func usage() -> Never {
  let text = """
    usage: WickBenchmarks handler
           WickBenchmarks unwind [SECONDS]
           WickBenchmarks tables
           WickBenchmarks first-sample
           WickBenchmarks rates [SECONDS]
           WickBenchmarks bytes RECORDING…
           WickBenchmarks symbols PROGRAM
           WickBenchmarks scale
           WickBenchmarks perfscript [FILE]
           WickBenchmarks flamegraph [SORTED UNSORTED]
           WickBenchmarks overhead [HZ [ROUNDS [SECONDS]]]
           WickBenchmarks attach [HZ [ROUNDS [SECONDS]]]
           WickBenchmarks allocations [ROUNDS]
           WickBenchmarks allocations-stopped [ROUNDS]
           WickBenchmarks allocations-size
           WickBenchmarks allocations-server [HZ [ROUNDS [SECONDS]]]

    """
  FileHandle.standardError.write(Data(text.utf8))
  exit(2)
}

func measureHandler() {
  // The calls above the recursion, from main on, are frames too.
  let shallow = wick_measure_handler(0)
  let depth = 31 - min(31, Int(shallow.frame_count))
  let cost = wick_measure_handler(UInt32(depth))
  print("frames walked            \(cost.frame_count)")
  print(String(format: "handler                  %.0f ns per sample", cost.handler_ns))
  print(
    String(format: "  of which per frame     %.1f ns", cost.handler_ns / Double(cost.frame_count)))
  print(String(format: "glibc backtrace()        %.0f ns", cost.backtrace_ns))
  print(String(format: "ratio                    %.2f", cost.handler_ns / cost.backtrace_ns))
}

func measureBytes(_ paths: [String]) throws {
  for path in paths {
    let file = try MappedFile(path: path)
    let profile = try Recording.profile(of: file.bytes)
    let samples = profile.samples.count
    let frames = profile.samples.reduce(0) { sum, sample in
      sum + profile.stacks.framesLeafFirst(of: sample.stack).count
    }
    print(
      String(
        format: "%@: %d samples of %.1f frames at %d Hz, %.2f bytes a sample", path, samples,
        Double(frames) / Double(max(samples, 1)), Int(profile.origin.rateHertz),
        Double(file.bytes.byteCount) / Double(max(samples, 1))))
  }
}

let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "handler": measureHandler()
case "unwind":
  try Unwinding.reportWalks(seconds: words.dropFirst().first.flatMap(Double.init) ?? 5)
case "tables": try Unwinding.reportTables()
case "first-sample": try Unwinding.reportFirstSample()
case "rates":
  var rates = Rates()
  if let seconds = words.dropFirst().first.flatMap({ Int($0) }), seconds > 0 {
    rates.seconds = seconds
  }
  try rates.report()
case "bytes" where words.count > 1: try measureBytes(Array(words.dropFirst()))
case "symbols" where words.count == 2: try Symbolization(program: words[1]).report()
case "scale": try Scale().report()
case "perfscript":
  let reading = PerfScriptReading()
  if words.count > 1 {
    try reading.read(URL(fileURLWithPath: words[1]))
  } else {
    try reading.report()
  }
case "flamegraph" where words.count == 1: try FlameGraphDrawing().report()
case "flamegraph" where words.count == 3:
  let files = words.dropFirst().map { URL(fileURLWithPath: $0) }
  try FlameGraphDrawing().write(sorted: files[0], unsorted: files[1])
case "overhead":
  var overhead = Overhead()
  let numbers = words.dropFirst().map { Int($0) ?? 0 }
  guard numbers.allSatisfy({ $0 > 0 }), numbers.count <= 3 else { usage() }
  if numbers.count > 0 { overhead.hertz = numbers[0] }
  if numbers.count > 1 { overhead.pairs = numbers[1] }
  if numbers.count > 2 { overhead.seconds = numbers[2] }
  try overhead.report()
case "attach", "allocations-server":
  var attachment = Attachment()
  attachment.followsAllocations = words[0] == "allocations-server"
  let numbers = words.dropFirst().map { Int($0) ?? 0 }
  guard numbers.allSatisfy({ $0 > 0 }), numbers.count <= 3 else { usage() }
  if numbers.count > 0 { attachment.hertz = numbers[0] }
  if numbers.count > 1 { attachment.rounds = numbers[1] }
  if numbers.count > 2 { attachment.seconds = numbers[2] }
  try attachment.report()
case "allocations" where words.count <= 2, "allocations-stopped" where words.count <= 2:
  var allocations = Allocations()
  if words.count > 1 {
    guard let rounds = Int(words[1]), rounds > 0 else { usage() }
    allocations.rounds = rounds
  }
  try words[0] == "allocations" ? allocations.report() : allocations.reportStopped()
case "allocations-size" where words.count == 1: try Allocations().reportSizes()
default: usage()
}
