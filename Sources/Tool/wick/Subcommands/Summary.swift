import WickProfile
import WickRender

/// What a recording holds, in a line or two.
enum Summary {
  static func text(of profile: Profile) -> String {
    let processes = profile.processShares().map { ["processes: \($0)"] } ?? []
    return (lines(of: profile) + processes).joined(separator: "\n")
  }

  /// The same without the processes' parts.
  ///
  /// - Parameters:
  ///   - profile: What was recorded.
  ///   - column: The values that are shown, if that is not both CPU time and memory: what tells of the
  ///     other is left out.
  /// - Returns: A line of samples, one of memory, and one for each thing that is missing.
  static func lines(of profile: Profile, column: Int? = nil) -> [String] {
    let accounting = SampleAccounting(profile)
    let origin = profile.origin
    var text = "\(grouped(profile.total(of: 0))) samples"
    if profile.valueTypes.count > 1 { text += ", \(seconds(profile.total(of: 1))) s of CPU time" }
    let processCount = profile.processes.count
    if processCount > 1 { text += ", \(processCount) processes" }
    if origin.rateHertz > 0 { text += ", \(origin.rateHertz) Hz" }
    if let engine = origin.processes.first?.info["engine"] { text += ", \(engine)" }
    text += ", \(grouped(Int64(clamping: accounting.lostWeight))) lost, \(accounting.rates)"
    let isOfMemory = column.map { profile.valueTypes[$0].isOfMemory }
    var lines = isOfMemory == true ? [] : [text]
    if let allocations = accounting.allocations, isOfMemory != false {
      lines.append("memory: \(allocations.summary); \(allocations.line)")
    }
    for thread in accounting.blockedThreads.prefix(8) where isOfMemory != true {
      lines.append("not sampled: thread \(thread.tid) \(thread.name), which blocks the signal")
    }
    if let excerpt = profile.excerptText() { lines.append(excerpt) }
    if let fallback = origin.processes.first?.info["fallback"] {
      lines.append("not used: \(fallback)")
    }
    return lines
  }

  /// Commands that show what is in a recording: CPU time, memory, or both.
  static func nextSteps(_ profile: Profile, path: String) -> [String] {
    let types = profile.valueTypes
    let memory = [ValueType.allocatedSpace, .retains].first { type in
      types.firstIndex(of: type).map { profile.total(of: $0) > 0 } ?? false
    }
    let live: ValueType = memory == .allocatedSpace ? .liveSpace : .releases
    func line(_ option: (report: String, graph: String)) -> String {
      "wick report \(option.report)\(path)    or: wick flamegraph \(option.graph)\(path)"
    }
    let ofMemory = memory.map { line(("--value \($0.name) ", "--value \(live.name) ")) }
    let hasSamples = profile.total(of: 0) > 0
    guard let ofMemory else { return ["next: " + line(("", ""))] }
    return hasSamples
      ? ["next: " + line(("", "")), "memory: " + ofMemory] : ["next: " + ofMemory]
  }

  /// Why a recording may have no samples.
  static func reasonForNoSamples(_ profile: Profile, subject: String) -> String {
    let reason = reasonForNoTicks(profile, subject: subject)
    return SampleAccounting(profile).allocations == nil
      ? reason
      : "\(reason); nor was an allocation followed: smaller SIZEs of --alloc follow more, 'all' all"
  }

  private static func reasonForNoTicks(_ profile: Profile, subject: String) -> String {
    let period = profile.origin.periodNanoseconds
    let used = profile.origin.statistic("processCPUNanoseconds")
    if used < UInt64(period) * 2 {
      return "\(subject) used only \(used / 1000) µs of CPU time, at one sample every "
        + "\(period / 1000) µs; run it longer, or raise the rate with -F"
    }
    return "\(subject) used \(used / 1000) µs of CPU time, but no signal arrived; try another "
      + "--engine, and see 'wick doctor'"
  }

  /// An integer with thousands separated.
  static func grouped(_ number: Int64) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }

  private static func seconds(_ nanoseconds: Int64) -> String {
    let hundredths = nanoseconds / 10_000_000
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}
