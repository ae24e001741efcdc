internal import CWickKernel
internal import Glibc

/// A place in a process for a little code that is no part of it: what is left of the last page behind
/// a module's code, which nothing ever runs or reads.
///
/// The code stays there: a copy of that page belongs to the process from then on.
struct CodePlace {
  let address: UInt64

  /// Finds a place; nil if all modules' code ends too close to the end of a page.
  init?(for byteCount: Int, among modules: [LoadedModule], of map: MemoryMap) {
    // A little room, lest a disassembler's look ahead runs into it.
    let margin: UInt64 = 16
    for end in modules.flatMap({ $0.code }).map(\.upperBound) {
      let start = (end &+ margin + 15) & ~15
      guard let mapping = map.mapping(at: end &- 1), mapping.isExecutable, !mapping.isWritable,
        start < mapping.range.upperBound,
        mapping.range.upperBound - start >= UInt64(byteCount)
      else { continue }
      address = start
      return
    }
    return nil
  }

  /// Writes code there, through the kernel's copy on write.
  ///
  /// - Returns: 0 or an `errno`.
  func write(_ code: UnsafeRawBufferPointer, pid: Int32) -> Int32 {
    let memory = unsafe open("/proc/\(pid)/mem", O_RDWR | O_CLOEXEC)
    guard memory >= 0 else { return errno }
    defer { close(memory) }
    // It may be there already: then nobody need touch it, and nobody who runs it is disturbed.
    var present = [UInt8](repeating: 0, count: code.count)
    let offset = off_t(truncatingIfNeeded: address)
    if unsafe pread(memory, &present, present.count, offset) == code.count,
      unsafe present.elementsEqual(code)
    {
      return 0
    }
    return unsafe pwrite(memory, code.baseAddress, code.count, offset) == code.count ? 0 : errno
  }
}
