/// Names of code that a process made while it ran, as just-in-time compilers write them for `perf`
/// to `/tmp/perf-PID.map`: a line for each function with its start, its size and its name.
struct PerfMap {
  private var ranges = AddressRanges([])
  private var names: [UInt64: Substring] = [:]

  /// Reads the map of a process; empty where there is none.
  init(pid: UInt32, folder: String = "/tmp") {
    guard let text = TextFile.read("\(folder)/perf-\(pid).map", byteLimit: 256 << 20) else {
      return
    }
    var ranges: [UInt64: Range<UInt64>] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, let start = Self.number(words[0]),
        let byteCount = Self.number(words[1]), byteCount > 0, start <= .max - byteCount
      else { continue }
      // Code may move into the place of older code: the last line holds.
      ranges[start] = start..<start + byteCount
      names[start] = words[2]
    }
    self.ranges = AddressRanges(Array(ranges.values))
  }

  private static func number(_ text: Substring) -> UInt64? {
    UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text, radix: 16)
  }

  /// The function at an address of the process.
  func name(at address: UInt64) -> String? {
    ranges.range(at: address).flatMap { names[$0.lowerBound] }.map(String.init)
  }
}
