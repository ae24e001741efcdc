public import WickProfile

extension SampleAccounting {
  /// What is not whole, in percent: "0.00 % truncated; 0.01 % by frame pointer; 0.30 % unsampled CPU".
  ///
  /// Parts that were not recorded are left out.
  public var rates: String {
    var parts = ["\(Decimal.percent(truncatedWeight, of: weight)) % truncated"]
    if let framePointerSamples {
      let percent = Decimal.percent(Int64(clamping: framePointerSamples), of: Int64(samples))
      parts.append("\(percent) % by frame pointer")
    }
    if let unsampledNanoseconds, let cpuNanoseconds {
      let percent = Decimal.percent(
        Int64(clamping: unsampledNanoseconds), of: Int64(clamping: cpuNanoseconds))
      parts.append("\(percent) % unsampled CPU")
    }
    return parts.joined(separator: "; ")
  }
}
