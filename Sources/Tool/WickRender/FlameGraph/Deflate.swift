import CWickDeflate

/// Raw DEFLATE (RFC 1951), which browsers inflate as `deflate-raw`.
enum Deflate {
  /// A good compromise for tables of small numbers: higher levels take twice as long for 3 %.
  private static let level: Int32 = 6

  /// Compresses bytes; nil if there is no memory for it.
  static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
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
