internal import CWickCompression

/// Decompresses what files say is compressed, up to a bound that real contents keep.
enum Decompression {
  /// Debug sections shrink to a fifth; no real one comes near this.
  private static let ratioLimit = 64
  /// Contents up to this size may shrink to nothing.
  private static let smallByteCount = 1 << 20

  /// Whether contents may grow to a size: a small file must not take all memory.
  static func isPlausible(_ byteCount: UInt64, from input: Int) -> Bool {
    byteCount <= UInt64(smallByteCount) || byteCount / UInt64(ratioLimit) <= UInt64(input)
  }

  /// Decompresses a zlib stream; nil if it has not exactly the size.
  static func zlib(_ input: RawSpan, byteCount: UInt64) -> [UInt8]? {
    guard isPlausible(byteCount, from: input.byteCount) else { return nil }
    return unsafe output(byteCount) { output in
      var size = uLongf(output.count)
      let status = unsafe input.withUnsafeBytes { source in
        unsafe uncompress(
          output.baseAddress, &size,
          source.baseAddress?.assumingMemoryBound(to: UInt8.self), uLong(source.count))
      }
      return status == Z_OK && size == uLongf(output.count)
    }
  }

  /// Decompresses Zstandard frames; nil if they have not exactly the size.
  static func zstandard(_ input: RawSpan, byteCount: UInt64) -> [UInt8]? {
    guard isPlausible(byteCount, from: input.byteCount) else { return nil }
    return unsafe output(byteCount) { output in
      unsafe input.withUnsafeBytes { source in
        unsafe ZSTD_decompress(
          output.baseAddress, output.count, source.baseAddress, source.count) == output.count
      }
    }
  }

  /// Decompresses an xz file; nil if it is damaged or too large.
  static func xz(_ input: RawSpan) -> [UInt8]? {
    // The size is not in front, so the output grows until it is enough.
    var byteCount = max(4 * input.byteCount, 1 << 16)
    while isPlausible(UInt64(byteCount), from: input.byteCount) {
      switch xz(input, byteCount: byteCount) {
      case .done(let bytes): return bytes
      case .tooSmall: byteCount *= 2
      case .damaged: return nil
      }
    }
    return nil
  }

  private enum XZResult {
    case done([UInt8])
    case tooSmall, damaged
  }

  private static func xz(_ input: RawSpan, byteCount: Int) -> XZResult {
    // What a dictionary may take.
    var memory: UInt64 = 256 << 20
    var status = LZMA_DATA_ERROR
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
      var inputPlace = 0
      var outputPlace = 0
      unsafe input.withUnsafeBytes { source in
        unsafe status = lzma_stream_buffer_decode(
          &memory, 0, nil, source.baseAddress?.assumingMemoryBound(to: UInt8.self), &inputPlace,
          source.count, output.baseAddress, &outputPlace, byteCount)
      }
      count = status == LZMA_OK ? outputPlace : 0
    }
    return switch status {
    case LZMA_OK: .done(bytes)
    case LZMA_BUF_ERROR: .tooSmall
    default: .damaged
    }
  }

  /// An array that `body` fills; nil if it cannot.
  private static func output(
    _ byteCount: UInt64, _ body: (UnsafeMutableBufferPointer<UInt8>) -> Bool
  ) -> [UInt8]? {
    var isFilled = false
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(byteCount)) { output, count in
      let part = unsafe UnsafeMutableBufferPointer(rebasing: output[..<Int(byteCount)])
      isFilled = unsafe body(part)
      count = isFilled ? Int(byteCount) : 0
    }
    return isFilled ? bytes : nil
  }
}
