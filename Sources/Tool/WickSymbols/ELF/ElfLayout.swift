internal import CWickElf
public import WickRecording

/// How a program or shared object lies in memory, and which build it is.
public struct ElfLayout: Sendable {
  /// The build-id; empty where there is none.
  public let buildID: [UInt8]
  /// Module-relative extent of the loaded segments.
  public let extent: Range<UInt64>
  private let segments: [ElfFile.Segment]

  /// Reads the headers of a file; nil if it is no program or shared object of 64 bits.
  ///
  /// - Parameter path: Of a regular file.
  /// - Throws: `MappedFile.Failure` if the file cannot be read.
  public init?(path: String) throws(MappedFile.Failure) {
    let file = try MappedFile(path: path)
    self.init(file.bytes)
  }

  /// Reads the headers of an image; nil if it is no program or shared object of 64 bits.
  ///
  /// - Parameter bytes: From the start of the file; those beyond its notes may be missing.
  public init?(_ bytes: RawSpan) {
    // PT_LOAD is 1.
    guard let file = try? ElfFile.open(bytes),
      let lower = file.segments.lazy.filter({ $0.type == 1 }).map(\.address).min(),
      let upper = file.segments.lazy.filter({ $0.type == 1 })
        .map({ Self.end($0.address, $0.memoryByteCount) }).max()
    else { return nil }
    buildID = file.buildID(bytes)
    extent = lower..<max(lower, upper)
    segments = file.segments.filter { $0.type == 1 }
  }

  /// The vdso, which is the same in all processes of a boot; nil where the kernel maps none.
  public static let vdso = VdsoImage.withBytes { ElfLayout($0) } ?? nil

  /// What is added to module-relative addresses, given where a part of the file is.
  ///
  /// - Parameters:
  ///   - start: Runtime address of a mapping of code.
  ///   - offset: Where in the file the mapping begins.
  /// - Returns: nil if no segment is loaded from there.
  public func loadBias(mappedAt start: UInt64, offset: UInt64) -> UInt64? {
    let candidates = segments.filter { segment in
      // Mappings begin at a page, segments anywhere in it.
      let page = max(segment.alignment, 1)
      let first = segment.offset - segment.offset % page
      return first <= offset && offset < Self.end(segment.offset, segment.byteCount)
    }
    guard let segment = candidates.first(where: \.isExecutable) ?? candidates.first else {
      return nil
    }
    return start &- offset &+ segment.offset &- segment.address
  }

  private static func end(_ start: UInt64, _ byteCount: UInt64) -> UInt64 {
    let (end, overflow) = start.addingReportingOverflow(byteCount)
    return overflow ? .max : end
  }
}
