public import WickProfile

extension AllocationAccounting {
  /// How allocations were followed: "every one", "every 512 KiB sampled".
  public var intervalText: String {
    let texts = intervals.map { interval in
      interval == 1 ? "every one" : "every \(Self.short(Int64(clamping: interval))) sampled"
    }
    return texts.isEmpty ? "none followed" : texts.joined(separator: ", then ")
  }

  /// What was allocated, in one sentence without its end.
  public var summary: String {
    "\(objects(.allocatedObjects)) allocated, \(bytes(.allocatedSpace)); "
      + "\(objects(.liveObjects)) live at the end, \(bytes(.liveSpace)); "
      + "high-water mark \(Self.scaled(Int64(clamping: peakBytes)))"
  }

  /// Lines for the head of a report.
  var facts: [(label: String, text: String)] {
    var facts = [("Memory", summary), ("Followed", "allocations: \(intervalText)\(errorText)")]
    let freed = freedObjects
    if freed > 0, total(.lifetime) > 0 {
      let mean = total(.lifetime) / freed
      let meanText =
        mean == 0 ? "under 1 ms" : ValueScale(unit: "milliseconds", largest: mean).text(mean)
      let temporary = Decimal.percent(total(.temporary), of: total(.allocatedObjects))
      facts.append(
        (
          "Lives",
          "\(meanText) on average; \(temporary) % temporary, freed before the thread's next allocation"
        ))
    }
    if hasLosses { facts.append(("Missed", lossText)) }
    if let unknownFrees, unknownFrees > 0 {
      facts.append(
        (
          "Coverage",
          "\(Decimal.percent(freed, of: freed.addingSaturating(Int64(clamping: unknownFrees)))) % of "
            + "frees are of objects whose allocation was recorded; \(unknownFrees) of older ones"
        ))
    }
    return facts
  }

  /// How allocations were followed and what was missed, in one clause.
  public var line: String {
    let lost = lostAllocations == nil && lostFrees == nil ? "lost not known" : lossText
    return "allocations: \(intervalText), \(lost)"
  }

  private var lossText: String {
    let cut = leftOutFrames.map { $0 > 0 ? ", \($0) frames left out of stacks" : "" } ?? ""
    let missed = "\(lostAllocations ?? 0) allocations not followed"
    return "\(missed), \(lostFrees ?? 0) frees not seen\(cut)"
  }

  private var errorText: String { isSampled ? "; ± is a 95 % interval" : "" }

  private func objects(_ type: ValueType) -> String {
    let count = total(type)
    return "\(ValueText.grouped(count)) \(count == 1 ? "object" : "objects")"
  }

  private func bytes(_ type: ValueType) -> String { Self.scaled(total(type)) }

  /// Bytes in the unit that suits them.
  private static func scaled(_ bytes: Int64) -> String {
    ValueScale(unit: "bytes", largest: bytes).text(bytes)
  }

  /// Bytes without digits behind the point where these would be 0.
  private static func short(_ bytes: Int64) -> String {
    for (divisor, unit): (Int64, String) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    where bytes >= divisor && bytes % divisor == 0 {
      return "\(bytes / divisor) \(unit)"
    }
    return "\(bytes) B"
  }

  /// Writes all figures into an open object.
  func write(to json: inout JSONWriter) {
    json.array("intervals") { json in for interval in intervals { json.integer(nil, interval) } }
    json.bool("isSampled", isSampled)
    for type in ValueType.allocations { json.integer(type.name, total(type)) }
    json.integer("peakBytes", peakBytes)
    json.integer("lostAllocations", lostAllocations)
    json.integer("lostFrees", lostFrees)
    if let leftOutFrames, leftOutFrames > 0 { json.integer("leftOutFrames", leftOutFrames) }
    json.integer("unknownFrees", unknownFrees)
    json.integer("agentBytes", agentBytes)
  }
}
