public import WickProfile

/// Reads recordings; `wick_format.h` is the specification.
public enum Recording {
  /// Reads a recording into a profile of addresses.
  ///
  /// The columns are the samples by weight and the CPU time that they stand for, and behind them, if
  /// they were recorded, `ValueType.allocations` and `references`: with a row for each stack, thread
  /// and type of objects (a leaf of `Frame.Kind.objectType`), and one for what was live at the end by
  /// when it was allocated, which is the row's time. A row of samples has 0 in the columns of
  /// allocations, and the other way round. All segments go into one profile, times counting from the first segment's start. Once the first header is
  /// whole, nothing throws: what is cut or damaged is named in `origin.warnings`, and
  /// `origin.isIncomplete` is set.
  ///
  /// - Parameter bytes: The whole file.
  /// - Returns: The profile, with frames that have an address and no function.
  /// - Throws: `RecordingError` if the first header is not that of a recording.
  public static func profile(of bytes: RawSpan) throws(RecordingError) -> Profile {
    guard bytes.byteCount > 0 else { throw .empty }
    let first = try SegmentHeader(bytes, at: 0)
    var builder = ProfileBuilder(first: first, byteCount: bytes.byteCount)
    var header = first
    while true {
      let delay = header.startMonotonicNanoseconds.subtractingReportingOverflow(
        first.startMonotonicNanoseconds)
      var segment = SegmentReader(header, delay: delay.overflow ? 0 : delay.partialValue)
      let end = segment.read(bytes, into: &builder)
      segment.finish(at: end, into: &builder)
      let next = SegmentHeader.next(in: bytes, from: end)
      let gap = end..<(next?.offset ?? bytes.byteCount)
      if !gap.isEmpty, !segment.isCut, !isUnwritten(bytes.extracting(gap)) {
        builder.warn("Nothing readable begins at byte \(end): \(gap.count) bytes were skipped.")
      }
      guard let next else { return builder.finish() }
      header = next
    }
  }

  /// Whether bytes begin as a recording does, be it whole or not.
  public static func recognizes(_ bytes: RawSpan) -> Bool {
    do {
      _ = try SegmentHeader(bytes, at: 0)
    } catch .notARecording {
      return false
    } catch {
      return bytes.byteCount > 0
    }
    return true
  }

  /// Whether these bytes are file space that was reserved and never written.
  private static func isUnwritten(_ bytes: RawSpan) -> Bool {
    (0..<bytes.byteCount).allSatisfy { bytes.byte(at: $0) == 0 }
  }
}
