import Foundation
import Testing
import WickProfile

@testable import WickRender

/// The packed tree, unpacked here by its description and with Python's zlib.
struct FlameGraphDataTests {
  /// The parts of a packed tree.
  private struct Parts {
    var header: [String: Any]
    var columns: [[UInt8]]

    init(_ bytes: [UInt8]) throws {
      var rest = bytes[...]
      var parts: [[UInt8]] = []
      while rest.count >= 4 {
        let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        parts.append(Array(rest.dropFirst(4).prefix(length)))
        rest = rest.dropFirst(4 + length)
      }
      #expect(rest.isEmpty)
      header = try #require(
        try JSONSerialization.jsonObject(with: Data(parts[0])) as? [String: Any])
      columns = Array(parts.dropFirst())
    }

    static func numbers(_ bytes: [UInt8]) -> [UInt64] {
      var numbers: [UInt64] = []
      var (value, shift) = (UInt64(0), UInt64(0))
      for byte in bytes {
        value |= UInt64(byte & 127) << shift
        shift += 7
        if byte < 128 {
          numbers.append(value)
          (value, shift) = (0, 0)
        }
      }
      return numbers
    }
  }

  @Test func treeComesBackAsItWas() throws {
    let profile = FlameGraphTests.busy
    let tree = CallTree(profile)
    let parts = try Parts(FlameGraph(profile).data.bytes)
    #expect(parts.header["nodes"] as? Int == tree.nodes.count)
    #expect(parts.header["names"] as? [String] == tree.functions.map(\.name))
    #expect(parts.columns.count == 4)
    let ups = Parts.numbers(parts.columns[1])
    let functions = Parts.numbers(parts.columns[2])
    #expect(functions.map(Int.init) == tree.nodes.dropFirst().map(\.function))
    var path = [0]
    for (index, node) in tree.nodes.enumerated().dropFirst() {
      path.removeLast(Int(ups[index - 1]))
      #expect(node.parent == path.last)
      path.append(index)
    }
    #expect(Parts.numbers(parts.columns[3]).map(Int64.init) == tree.nodes.map(\.selfValue))
  }

  @Test func hugeAndNegativeValuesArePacked() throws {
    let profile = Profile(stacks: [("a", .max), ("b", -5), ("c", 1 << 60)])
    let parts = try Parts(FlameGraph(profile).data.bytes)
    #expect(Parts.numbers(parts.columns[3]) == [0, UInt64(Int64.max), 0, 1 << 60])
  }

  @Test func threadsStandAboveTheirStacks() throws {
    var profile = Profile(stacks: [("main", 1), ("main;work", 2)])
    profile.threads = [Profile.Thread(pid: 7, tid: 8, name: "worker")]
    let rows = profile.samples.map { Profile.Sample(stack: $0.stack, thread: 0) }
    profile.add(rows, columns: [[4, 8]])
    let graph = FlameGraph(profile)
    #expect(graph.paths.functions.map(\.name) == ["main", "work"])
    let parts = try Parts(graph.data.bytes)
    #expect(parts.header["names"] as? [String] == ["main", "work", "worker (tid 8)"])
    #expect(Parts.numbers(parts.columns[2]) == [0, 1, 2, 0, 1])
    #expect(Parts.numbers(parts.columns[3]) == [0, 1, 2, 0, 4, 8])
  }

  @Test func processesAreDrawnOnRequestAndAlwaysPacked() throws {
    let profile = ProcessReportTests.processes
    let merged = FlameGraph(profile)
    #expect(merged.paths.functions.map(\.name) == ["f"])
    let packed = try Parts(merged.data.bytes)
    let names = ["f", "help\u{241b}er (pid 9)", "sh → server (pid 7)"]
    #expect(
      packed.header["names"] as? [String]
        == [names[0], names[1], names[2], "t (tid 10)", "t (tid 7)", "t (tid 9)"])
    let graph = FlameGraph(profile, options: FlameGraph.Options(roots: .process))
    #expect(graph.paths.functions.map(\.name).count == 3)
    let roots = try #require(
      try Parts(graph.data.bytes).header["roots"] as? [String: [String: Any]])
    #expect(roots["processes"]?["isShown"] as? Bool == true)
    #expect(roots["threads"]?["isShown"] as? Bool == false)
    let picture = try ParsedPicture(graph.document)
    #expect(picture.boxes.map(\.depth) == [0, 1, 2, 1, 2])
    #expect(picture.boxes.map(\.width) == [70, 20, 20, 50, 50])
    #expect(picture.boxes[3].hover == "sh → server (pid 7)\n50 samples, 71.43%")
    #expect(graph.document.contains(">processes</text>"))
    // In any palette they are calm, as they are no code.
    let hot = FlameGraph(profile, options: FlameGraph.Options(palette: .hot, roots: .process))
    let other = try ParsedPicture(hot.document)
    #expect(other.boxes[1].fill == picture.boxes[1].fill)
    #expect(other.boxes[2].fill != picture.boxes[2].fill)
  }

  @Test func documentHoldsTheTreeCompressed() throws {
    let graph = FlameGraph(FlameGraphTests.busy)
    let texts = graph.document.matches(of: /<desc>([^<]*)</).map { String($0.output.1) }
    let packed = try #require(Data(base64Encoded: texts.joined()))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      "import sys,zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read(),-15))",
    ]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    input.fileHandleForWriting.write(packed)
    try input.fileHandleForWriting.close()
    #expect(Array(output.fileHandleForReading.readDataToEndOfFile()) == graph.data.bytes)
  }

  @Test(arguments: 0..<10) func base64IsAsFoundationWritesIt(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 77 + 200) }
    #expect(Base64.text(bytes[...]) == Data(bytes).base64EncodedString())
  }
}
