import Foundation

/// Makes folded stacks of a busy server, each stack once: about 200 MB, 2.9 million tree nodes.
struct FoldedText {
  private var lines: [Range<Int>] = []
  private var bytes: [UInt8] = []
  private var random = SplitMix(state: 13)

  private static let lineCount = 240_000

  init() {
    let calls = CallGraph()
    let names = calls.names.map { Array($0.utf8) }
    var known: Set<[Int]> = []
    bytes.reserveCapacity(Self.lineCount * 900)
    while lines.count < Self.lineCount {
      let depth = Int.random(in: 10...40, using: &random)
      var stack = [0]
      while stack.count < depth {
        // Server frames are much the same, what they call is not.
        let place = calls.place(odds: stack.count < 7 ? 4 : 3, using: &random)
        stack.append(calls.callee(of: stack[stack.count - 1], at: place))
      }
      guard known.insert(stack).inserted else { continue }
      let start = bytes.count
      for (index, function) in stack.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ";")) }
        bytes += names[function]
      }
      bytes += Array(" \(1 + Int.random(in: 0..<1000, using: &random) / 300)\n".utf8)
      lines.append(start..<bytes.count)
    }
  }

  /// Puts the lines in bytewise order, as the tools that fold stacks write them.
  mutating func sort() {
    bytes.withUnsafeBytes { bytes in
      lines.sort { bytes[$0].lexicographicallyPrecedes(bytes[$1]) }
    }
  }

  /// Writes the lines to a file.
  func write(to file: URL) throws {
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
      throw BenchmarkError.unexpected("cannot write \(file.path)")
    }
    let handle = try FileHandle(forWritingTo: file)
    var text = Data()
    for line in lines {
      text.append(contentsOf: bytes[line])
      guard text.count > 1 << 20 else { continue }
      try handle.write(contentsOf: text)
      text.removeAll(keepingCapacity: true)
    }
    try handle.write(contentsOf: text)
    try handle.close()
  }
}
