import Foundation

/// Makes text as `perf script` prints it of a busy server: a few hot call paths, many rare ones.
struct PerfScriptText {
  private let names: [String]
  private let modules = (0..<40).map { "/usr/lib/x86_64-linux-gnu/libservice\($0).so.1" }
  private var random = SplitMix(state: 11)

  /// A function calls at most so many others.
  private static let calleeLimit = 12
  private static let functionCount = 20_000

  init() {
    var random = SplitMix(state: 7)
    let words = ["handle", "request", "encode", "Buffer", "channel", "Future", "resolve", "header"]
    names = (0..<Self.functionCount).map { number in
      let parts = (0..<3).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }
      return "\(parts[0])::\(parts[1])_\(parts[2])_\(number)(int)"
    }
  }

  /// Writes samples to a new file, at least so many bytes.
  consuming func write(byteCount: Int, to file: URL) throws {
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
      throw BenchmarkError.unexpected("cannot write \(file.path)")
    }
    let handle = try FileHandle(forWritingTo: file)
    var (samples, written) = (0, 0)
    var text = ""
    while written < byteCount {
      text += sample(samples)
      samples += 1
      if text.utf8.count > 1 << 20 {
        written += text.utf8.count
        try handle.write(contentsOf: Data(text.utf8))
        text = ""
      }
    }
    try handle.close()
  }

  /// A sample of a walk through the graph of calls.
  private mutating func sample(_ number: Int) -> String {
    let thread = Int.random(in: 0..<4, using: &random)
    let time = String(format: "%.6f", 1444.25 + Double(number) * 0.001)
    let event =
      "worker-\(thread)  \(3000 + thread) [00\(thread)]  \(time):    1001001 cpu-clock: \n"
    var lines: [String] = []
    var function = 0
    repeat {
      let callee = chosen(below: Self.calleeLimit)
      lines.append(line(function, offset: 24 + 16 * callee))
      // Which function is called depends on the caller and the place of the call only.
      var choice = SplitMix(state: UInt64(function * Self.calleeLimit + callee))
      function = Int(choice.next() % UInt64(names.count))
    } while lines.count < 9 || lines.count < 39 && function % 16 != 0
    let leaf = line(function, offset: 4 * Int.random(in: 0..<64, using: &random))
    return event + leaf + lines.reversed().joined() + "\n"
  }

  private func line(_ function: Int, offset: Int) -> String {
    let address = String(0x7f00_0000_0000 + function * 4096 + offset, radix: 16)
    let padding = String(repeating: " ", count: 16 - address.count)
    let module = modules[function % modules.count]
    return "\t\(padding)\(address) \(names[function])+0x\(String(offset, radix: 16)) (\(module))\n"
  }

  /// A number, 0 in most cases, each further one less often.
  private mutating func chosen(below limit: Int) -> Int {
    var number = 0
    while number < limit - 1, Int.random(in: 0..<8, using: &random) == 0 { number += 1 }
    return number
  }
}
