internal import CWickKernel
internal import Glibc

/// A record of a perf ring; `wick_perf.h` draws it, perf_event_open(2) specifies it.
struct PerfRecord {
  /// Its bytes, in the buffer that all records of a look are in.
  let range: Range<Int>
  private let type: UInt32
  private let flags: UInt16

  /// What a record says.
  enum Content {
    /// A tick; the frames are words of the buffer, leaf first.
    case sample(tid: Int32, pid: Int32, frames: Range<Int>)
    /// Code was mapped.
    case mapping(pid: Int32, CodeMapping)
    /// A thread was named; `isExec` if that is because its process is another program now.
    case name(tid: Int32, pid: Int32, String, isExec: Bool)
    /// A thread or process was made.
    case fork(tid: Int32, pid: Int32, parent: Int32)
    /// A thread ended.
    case exit(tid: Int32)
    /// Records did not fit into the ring.
    case lost(count: UInt64)
    /// The kernel held samples back, as they came too fast.
    case throttled
    /// Nothing that matters here.
    case other
  }

  /// The record that begins at an offset; nil if no whole one does.
  init?(_ bytes: RawSpan, at offset: Int) {
    guard offset + 8 <= bytes.byteCount else { return nil }
    let size = Int(bytes.load(offset + 6, as: UInt16.self))
    guard size >= 8, offset + size <= bytes.byteCount else { return nil }
    range = offset..<offset + size
    type = bytes.load(offset, as: UInt32.self)
    flags = bytes.load(offset + 4, as: UInt16.self)
  }

  /// When it was written, by CLOCK_MONOTONIC; 0 if it does not say.
  func time(_ bytes: RawSpan) -> UInt64 {
    let place = type == PERF_RECORD_SAMPLE.rawValue ? range.lowerBound + 24 : range.upperBound - 8
    guard range.count >= 32 || type != PERF_RECORD_SAMPLE.rawValue, range.count >= 24 else {
      return 0
    }
    return bytes.load(place, as: UInt64.self)
  }

  /// Reads what it says.
  func content(_ bytes: RawSpan) -> Content {
    let start = range.lowerBound
    func number(_ offset: Int) -> Int32 { bytes.load(start + offset, as: Int32.self) }
    func word(_ offset: Int) -> UInt64 { bytes.load(start + offset, as: UInt64.self) }
    switch perf_event_type(type) {
    case PERF_RECORD_SAMPLE where range.count >= 40:
      return .sample(tid: number(20), pid: number(16), frames: frames(bytes))
    case PERF_RECORD_MMAP2 where range.count >= 88:
      guard bytes.load(start + 64, as: UInt32.self) & UInt32(PROT_EXEC) != 0 else { return .other }
      let (end, overflow) = word(16).addingReportingOverflow(word(24))
      guard !overflow else { return .other }
      return .mapping(
        pid: number(8),
        CodeMapping(
          range: word(16)..<end, offset: word(32), inode: word(48), path: text(bytes, from: 72)))
    case PERF_RECORD_COMM where range.count >= 32:
      return .name(
        tid: number(12), pid: number(8), text(bytes, from: 16),
        isExec: flags & UInt16(PERF_RECORD_MISC_COMM_EXEC) != 0)
    case PERF_RECORD_FORK where range.count >= 32:
      return .fork(tid: number(16), pid: number(8), parent: number(12))
    case PERF_RECORD_EXIT where range.count >= 32:
      return .exit(tid: number(16))
    case PERF_RECORD_LOST where range.count >= 24:
      return .lost(count: word(16))
    case PERF_RECORD_THROTTLE:
      return .throttled
    default:
      return .other
    }
  }

  /// The words of the user part of a call chain.
  private func frames(_ bytes: RawSpan) -> Range<Int> {
    let first = range.lowerBound + 40
    let count = bytes.load(range.lowerBound + 32, as: UInt64.self)
    guard count <= UInt64(range.upperBound - first) / 8 else { return first..<first }
    let words = (0..<Int(count)).map { bytes.load(first + 8 * $0, as: UInt64.self) }
    // Marks tell whose code follows (enum perf_callchain_context).
    let marks = UInt64(PERF_CONTEXT_MAX.rawValue)
    guard let mark = words.firstIndex(of: UInt64(PERF_CONTEXT_USER.rawValue)) else {
      return first..<first
    }
    let end = words[(mark + 1)...].firstIndex { $0 >= marks } ?? words.count
    return first + 8 * (mark + 1)..<first + 8 * end
  }

  /// A text that ends with a zero.
  private func text(_ bytes: RawSpan, from offset: Int) -> String {
    var text: [UInt8] = []
    for place in range.lowerBound + offset..<range.upperBound {
      let byte = bytes.load(place, as: UInt8.self)
      if byte == 0 { break }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension RawSpan {
  /// A value at any offset, which is checked.
  func load<T: BitwiseCopyable & FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
  }
}
