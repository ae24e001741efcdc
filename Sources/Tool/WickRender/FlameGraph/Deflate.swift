import CWickDeflate

/// Raw DEFLATE (RFC 1951), which browsers inflate as `deflate-raw`.
enum Deflate {
  /// How hard libdeflate tries.
  ///
  /// There is little to find in tables of small numbers: level 6 takes 2.5 times as long as level 1
  /// for 4 %, which large ones are not worth, and level 7 again 1.6 times as long for 1 %.
  private static func level(forByteCount byteCount: Int) -> Int32 { byteCount < 1 << 23 ? 6 : 1 }

  /// Compresses bytes; nil if there is no memory for it.
  static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    let level = level(forByteCount: bytes.count)
    guard let compressor = unsafe libdeflate_alloc_compressor(level) else { return nil }
    defer { unsafe libdeflate_free_compressor(compressor) }
    let bound = unsafe libdeflate_deflate_compress_bound(compressor, bytes.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = unsafe bytes.withUnsafeBytes {
        unsafe libdeflate_deflate_compress(
          compressor, $0.baseAddress, $0.count, buffer.baseAddress, bound)
      }
    }
  }
}
