internal import WickRecording

/// Where a file has the unwind information of its functions.
///
/// Most files have a search table for that; those that were linked statically have none.
package struct UnwindRecords {
  /// ELF address of the section that the records are in.
  package let address: UInt64
  /// ELF address of each function, ascending, and where its record is, from `address` on.
  package let entries: [(function: UInt64, offset: Int)]

  /// Reads `.eh_frame`.
  ///
  /// - Parameters:
  ///   - path: Of the file; nil is returned if there is none or it has no such section.
  ///   - buildID: That it must have.
  package init?(path: String, buildID: [UInt8]) {
    guard let file = DebugFile.open(path), file.elf.buildID(file.bytes) == buildID,
      let section = file.elf.sections.first(where: { $0.name == ".eh_frame" && $0.hasContents })
    else { return nil }
    let bytes = file.bytes.clamped(offset: section.offset, byteCount: section.byteCount)
    let frames = FrameDescriptions(bytes, address: section.address)
    address = section.address
    entries = zip(frames.ranges, frames.offsets)
      .map { (function: $0.lowerBound, offset: $1) }.sorted { $0.function < $1.function }
  }
}
