import Foundation

/// Makes text as `perf script` prints it of a busy server: a few hot call paths, many rare ones.
struct PerfScriptText {
  private let calls = CallGraph()
  private let modules = (0..<40).map { "/usr/lib/x86_64-linux-gnu/libservice\($0).so.1" }
  private var random = SplitMix(state: 11)

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
      let place = calls.place(odds: 8, using: &random)
      lines.append(line(function, offset: 24 + 16 * place))
      function = calls.callee(of: function, at: place)
    } while lines.count < 9 || lines.count < 39 && function % 16 != 0
    let leaf = line(function, offset: 4 * Int.random(in: 0..<64, using: &random))
    return event + leaf + lines.reversed().joined() + "\n"
  }

  private func line(_ function: Int, offset: Int) -> String {
    let address = String(0x7f00_0000_0000 + function * 4096 + offset, radix: 16)
    let padding = String(repeating: " ", count: 16 - address.count)
    let module = modules[function % modules.count]
    let name = "\(calls.names[function])+0x\(String(offset, radix: 16))"
    return "\t\(padding)\(address) \(name) (\(module))\n"
  }
}
