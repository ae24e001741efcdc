/// The code of a module, and addresses in it as 32-bit distances from its start.
struct CodePlaces {
  /// Executable sections.
  private let ranges: AddressRanges
  /// The first address of code.
  let base: UInt64

  init(_ ranges: AddressRanges) {
    self.ranges = ranges
    base = ranges.start(from: 0) ?? 0
  }

  /// The distance of an address from the first; nil where it does not fit.
  @inline(__always) func place(of address: UInt64) -> UInt32? {
    UInt32(exactly: address &- base)
  }

  /// Whether there is code.
  func contains(_ address: UInt64) -> Bool { ranges.range(at: address) != nil }

  /// The places of a range that begins in code; nil for others, as those of functions that the
  /// linker dropped.
  func places(of range: Range<UInt64>) -> Range<UInt32>? {
    guard let section = ranges.range(at: range.lowerBound),
      let start = place(of: range.lowerBound),
      let end = place(of: min(range.upperBound, section.upperBound)), start < end
    else { return nil }
    return start..<end
  }
}
