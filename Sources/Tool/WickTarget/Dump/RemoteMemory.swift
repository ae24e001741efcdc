internal import CWickKernel

/// Reads the memory of another process, which goes on meanwhile.
enum RemoteMemory {
  /// Copies bytes; fewer where a page cannot be read.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - address: Where.
  ///   - buffer: As many are wanted.
  /// - Returns: How many were copied.
  static func read(_ pid: Int32, at address: UInt64, into buffer: UnsafeMutableRawBufferPointer)
    -> Int
  {
    unsafe wick_kernel_read_memory(pid, UInt(address), buffer.baseAddress, buffer.count)
  }

  /// Writes bytes to memory that the process may write to; false if not all could be written.
  static func write(_ pid: Int32, at address: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe wick_kernel_write_memory(pid, UInt(address), bytes.baseAddress, bytes.count)
  }

  /// Copies bytes; fewer where a page cannot be read.
  static func bytes(_ pid: Int32, at address: UInt64, count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      initializedCount = unsafe read(pid, at: address, into: UnsafeMutableRawBufferPointer(buffer))
    }
  }
}
