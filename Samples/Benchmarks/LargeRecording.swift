import CWickFormat
import Foundation
import WickRecording

/// Makes recordings of any size, of modules that exist.
struct LargeRecording {
  /// A library, and code addresses in it.
  struct Library {
    var path: String
    var buildID: [UInt8]
    var code: Range<UInt64>
  }

  private var file = Data()
  private var payload: [UInt8] = []
  private var sequence: UInt32 = 0
  private var random = SplitMix(state: 7)

  private static let depth = 12

  /// Makes a recording.
  ///
  /// - Parameters:
  ///   - sampleCount: Samples, each of a stack that is chosen at random.
  ///   - addressCount: Different addresses in all stacks.
  ///   - libraries: Where the addresses are.
  /// - Returns: The file.
  static func make(sampleCount: Int, addressCount: Int, libraries: [Library]) -> Data {
    var recording = LargeRecording()
    recording.addHeader()
    recording.addModules(libraries)
    recording.addSamples(sampleCount, addressCount: addressCount, libraries: libraries)
    recording.varint(UInt64(EndReason.stopped.rawValue))
    recording.varint(1_000_000_000)
    recording.finishChunk(.end)
    return recording.file
  }

  private mutating func addHeader() {
    var header = RecordedHeader()
    header.magic = (0x89, 0x57, 0x49, 0x43, 0x4b, 0x0d, 0x0a, 0x1a)
    header.version = WICK_FORMAT_VERSION
    header.headerByteCount = UInt32(MemoryLayout<RecordedHeader>.size)
    header.pid = 4_000_000
    header.engine = .perfSigtrap
    header.rateHertz = 1000
    header.periodNanoseconds = 1_000_000
    let covered = withUnsafeBytes(of: header) { Array($0[..<60]) }
    header.crc32c = CRC32C.checksum(covered.span.bytes)
    withUnsafeBytes(of: header) { file.append(contentsOf: $0) }
  }

  private mutating func addModules(_ libraries: [Library]) {
    for (index, library) in libraries.enumerated() {
      varint(UInt64(index + 1))
      varint(0x7f00_0000_0000 + UInt64(index) << 24)
      varint(0)
      varint(library.code.upperBound)
      string(library.buildID)
      string(Array(library.path.utf8))
    }
    finishChunk(.modules)
    varint(0)
    varint(4_000_000)
    string(Array("worker".utf8))
    finishChunk(.threads)
  }

  /// Stacks of `depth` new frames each, as many as have all addresses; then samples of them.
  private mutating func addSamples(_ count: Int, addressCount: Int, libraries: [Library]) {
    var previous = [UInt64](repeating: 0, count: libraries.count + 1)
    let stackCount = max(1, addressCount / Self.depth)
    var known = 0
    // Thread 0.
    varint(0 << 2 | UInt64(RecordKind.place.rawValue))
    for sample in 0..<max(count, stackCount) {
      if known < stackCount {
        // Back to the root: node 0 is as far behind as there are nodes.
        place(behind: UInt64(known * Self.depth))
        for level in 0..<Self.depth {
          let module = Int.random(in: 1...libraries.count, using: &random)
          let address = UInt64.random(in: libraries[module - 1].code, using: &random)
          let isReturn: UInt64 = level < Self.depth - 1 ? 1 : 0
          tag(.frame, UInt64(module) << 1 | isReturn)
          let change = Int64(bitPattern: address &- previous[module])
          varint(UInt64(bitPattern: change << 1 ^ change >> 63))
          previous[module] = address
        }
        known += 1
      } else {
        let stack = UInt64.random(in: 0..<UInt64(stackCount), using: &random)
        place(behind: (UInt64(stackCount) - 1 - stack) * UInt64(Self.depth))
      }
      tag(.sample, 64 << 1)
      if payload.count > 60_000 {
        finishChunk(.samples)
        // The thread in force does not carry over.
        if sample < max(count, stackCount) - 1 {
          varint(0 << 2 | UInt64(RecordKind.place.rawValue))
        }
      }
    }
    finishChunk(.samples)
  }

  private mutating func place(behind distance: UInt64) { tag(.place, distance << 1 | 1) }

  private mutating func tag(_ kind: RecordKind, _ operand: UInt64) {
    varint(operand << 2 | UInt64(kind.rawValue))
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      payload.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    payload.append(UInt8(rest))
  }

  private mutating func string(_ bytes: [UInt8]) {
    varint(UInt64(bytes.count))
    payload += bytes
  }

  private mutating func finishChunk(_ type: ChunkType) {
    guard !payload.isEmpty else { return }
    var header = ChunkHeader()
    header.type = type
    header.payloadByteCount = UInt32(payload.count)
    header.sequence = sequence
    var checksum = CRC32C()
    let covered = withUnsafeBytes(of: header) { Array($0[..<12]) }
    checksum.update(covered.span.bytes)
    checksum.update(payload.span.bytes)
    header.crc32c = checksum.value
    withUnsafeBytes(of: header) { file.append(contentsOf: $0) }
    file.append(contentsOf: payload)
    payload.removeAll(keepingCapacity: true)
    sequence += 1
  }
}
