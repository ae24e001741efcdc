import CWickSampleMalloc

/// What the C library's allocator says of itself: `GET /memory`.
struct HeapSize: Encodable {
  /// Bytes of all blocks that are in use, with what the allocator adds to each.
  ///
  /// Blocks that it keeps for a thread's next allocation (tcache) count as in use.
  let inUse: Int

  static var now: HeapSize {
    let info = mallinfo2()
    return HeapSize(inUse: Int(info.uordblks + info.hblkhd))
  }
}
