internal import CWickElf

/// The kernel's page of code in this process, which is the same in all processes of a boot.
enum VdsoImage {
  /// Reads the image; nil where the kernel maps none.
  ///
  /// - Parameter buildID: The build-id that it must have.
  /// - Returns: The image.
  /// - Throws: `ElfImage.Failure`.
  static func read(buildID: [UInt8]) throws(ElfImage.Failure) -> ElfImage? {
    try withBytes { bytes throws(ElfImage.Failure) in try ElfImage(bytes, buildID: buildID) }
  }

  /// Gives the image's bytes; nil where the kernel maps none.
  static func withBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    // AT_SYSINFO_EHDR is 33.
    guard let start = unsafe UnsafeRawPointer(bitPattern: UInt(getauxval(33))) else { return nil }
    // The header is the kernel's own, so it may be trusted. Section headers come last (e_shoff at
    // 40, e_shentsize at 58, e_shnum at 60).
    let offset = unsafe start.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
    let size = unsafe start.loadUnaligned(fromByteOffset: 58, as: UInt16.self)
    let count = unsafe start.loadUnaligned(fromByteOffset: 60, as: UInt16.self)
    let byteCount = Int(offset) + Int(size) * Int(count)
    return try body(unsafe UnsafeRawBufferPointer(start: start, count: byteCount).bytes)
  }
}
