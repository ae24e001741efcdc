import WickRecording

/// Writes recordings from the prose of `wick_format.h`, sharing nothing with the reader but the
/// checksum, whose check value is tested on its own.
struct RecordingEncoder {
  var bytes: [UInt8] = []
  var sequence: UInt32 = 0

  static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    var (value, bytes) = (value, [UInt8]())
    repeat {
      bytes.append(UInt8(value & 127) | (value > 127 ? 128 : 0))
      value >>= 7
    } while value > 0
    return bytes
  }

  static func zigzag(_ value: Int64) -> [UInt8] {
    varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  static func string(_ value: String) -> [UInt8] {
    varint(UInt64(value.utf8.count)) + Array(value.utf8)
  }

  struct Header {
    var version: UInt32 = 2
    var byteCount: UInt32 = 64
    var realtime: UInt64 = 1_700_000_000_000_000_000
    var monotonic: UInt64 = 5_000_000_000
    var pid: UInt32 = 4711
    var engine: UInt32 = 1
    var processStart: UInt64 = 99
    var rate: UInt32 = 100
    /// Its 64th, 156,250 ns, is the unit of times.
    var period: UInt32 = 10_000_000
    var flags: UInt32 = 0
  }

  mutating func header(_ header: Header = Header()) {
    var part: [UInt8] = [0x89] + Array("WICK\r\n".utf8) + [0x1a]
    part += Self.little(header.version) + Self.little(header.byteCount)
    part += Self.little(header.realtime) + Self.little(header.monotonic)
    part += Self.little(header.pid) + Self.little(header.engine)
    part += Self.little(header.processStart) + Self.little(header.rate)
    part += Self.little(header.period) + Self.little(header.flags)
    bytes += part + Self.little(CRC32C.checksum(part.span.bytes))
    bytes += [UInt8](repeating: 0xee, count: max(0, Int(header.byteCount) - 64))
    sequence = 0
  }

  mutating func chunk(_ type: UInt32, _ payload: [UInt8], sequence given: UInt32? = nil) {
    let front =
      Self.little(type) + Self.little(UInt32(payload.count)) + Self.little(given ?? sequence)
    bytes += front + Self.little(CRC32C.checksum((front + payload).span.bytes)) + payload
    sequence = (given ?? sequence) + 1
  }

  mutating func info(_ pairs: [(String, String)]) {
    chunk(1, pairs.flatMap { Self.string($0.0) + Self.string($0.1) })
  }

  mutating func modules(
    from first: UInt64 = 1,
    _ modules: [(bias: UInt64, extent: Range<UInt64>, buildID: [UInt8], path: String)]
  ) {
    var payload: [UInt8] = []
    for (index, module) in modules.enumerated() {
      payload += Self.varint(first + UInt64(index)) + Self.varint(module.bias)
      payload += Self.varint(module.extent.lowerBound) + Self.varint(module.extent.upperBound)
      payload += Self.varint(UInt64(module.buildID.count)) + module.buildID
      payload += Self.string(module.path)
    }
    chunk(2, payload)
  }

  mutating func threads(_ threads: [(index: UInt64, tid: UInt64, name: String)]) {
    chunk(
      3, threads.flatMap { Self.varint($0.index) + Self.varint($0.tid) + Self.string($0.name) })
  }

  mutating func samples(_ records: [[UInt8]]) {
    chunk(4, records.flatMap { $0 })
  }

  mutating func statistics(_ pairs: [(UInt64, UInt64)]) {
    chunk(5, pairs.flatMap { Self.varint($0.0) + Self.varint($0.1) })
  }

  mutating func end(_ reason: UInt64 = 1, nanoseconds: UInt64 = 2_000_000_000) {
    chunk(6, Self.varint(reason) + Self.varint(nanoseconds))
  }

  mutating func allocations(
    milliseconds: UInt64, isNewMark: Bool = false, interval: UInt64 = 1, _ rows: [[UInt8]]
  ) {
    let front = [milliseconds, isNewMark ? 1 : 0, interval].flatMap(Self.varint)
    chunk(8, front + rows.flatMap { $0 })
  }

  mutating func live(milliseconds: UInt64, _ entries: [[UInt64]]) {
    chunk(9, Self.varint(milliseconds) + entries.flatMap { $0.flatMap(Self.varint) })
  }

  mutating func types(_ types: [(id: UInt64, kind: UInt64, name: String)]) {
    chunk(
      10, types.flatMap { Self.varint($0.id) + Self.varint($0.kind) + Self.string($0.name) })
  }

  // Rows of an ALLOCATIONS payload.

  /// What follows node and thread of a row: followed, objects, bytes, and the change of what came after the mark.
  static func allocated(
    _ node: UInt64, _ thread: UInt64, _ numbers: (UInt64, UInt64, UInt64),
    after: (Int64, Int64) = (0, 0)
  ) -> [UInt8] {
    [node << 2, thread, numbers.0, numbers.1, numbers.2].flatMap(varint)
      + zigzag(after.0) + zigzag(after.1)
  }

  static func freed(
    _ node: UInt64, _ thread: UInt64, type: UInt64 = 0, _ numbers: (UInt64, UInt64, UInt64),
    after: (Int64, Int64) = (0, 0), temporary: UInt64 = 0, lifetime: UInt64 = 0
  ) -> [UInt8] {
    [node << 2 | 1, thread, type, numbers.0, numbers.1, numbers.2].flatMap(varint)
      + zigzag(after.0) + zigzag(after.1) + varint(temporary) + varint(lifetime)
  }

  /// References that were taken or given up.
  static func references(
    _ node: UInt64, _ thread: UInt64, type: UInt64, areTaken: Bool, _ count: UInt64
  ) -> [UInt8] {
    [node << 2 | (areTaken ? 2 : 3), thread, type, count].flatMap(varint)
  }

  // Records of a SAMPLES payload, with the numbers as they lie in the file.

  static func thread(_ index: UInt64) -> [UInt8] { varint(index << 3) }

  static func cursor(nodeBack: UInt64) -> [UInt8] { varint((nodeBack << 1 | 1) << 2) }

  static func frame(module: UInt64, kind: UInt64, delta: Int64) -> [UInt8] {
    if module > 0, kind < 2 { return varint((module << 1 | kind) << 2 | 1) + zigzag(delta) }
    return varint(1) + varint(module << 3 | kind) + zigzag(delta)
  }

  static func node(frameBack: UInt64) -> [UInt8] { varint(frameBack << 2 | 2) }

  static func sample(after units: UInt64, weight: UInt64 = 1) -> [UInt8] {
    let operand: UInt64 = units << 1 | (weight > 1 ? 1 : 0)
    let record: [UInt8] = varint(operand << 2 | 3)
    return weight > 1 ? record + varint(weight) : record
  }
}
