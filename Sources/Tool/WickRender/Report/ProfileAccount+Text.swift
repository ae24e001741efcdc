internal import WickProfile

extension ProfileAccount {
  /// More processes and warnings than this are only counted.
  private static let listLimit = 8
  /// More characters of a command line than this are left out.
  private static let commandLimit = 100

  /// Writes the head of a report, a line for each fact.
  func writeFacts(to output: inout some TextOutputStream) {
    for (label, text) in facts { Self.write(label, text, to: &output) }
  }

  /// Writes a fact as everywhere in reports: what it is about, then in a column what is the case.
  static func write(_ label: String, _ text: String, to output: inout some TextOutputStream) {
    let padding = String(repeating: " ", count: max(1, 11 - label.count))
    output.write("\(label)\(padding)\(TextTable.harmless(text))\n")
  }

  /// The head of the report; what is not known or did not happen has no line.
  private var facts: [(label: String, text: String)] {
    var facts: [(String, String)] = []
    if let processText { facts.append(("Processes", processText)) }
    for process in origin.processes.prefix(Self.listLimit) {
      facts.append(("Process", describe(process)))
    }
    if origin.processes.count > Self.listLimit {
      facts.append(("", "and \(origin.processes.count - Self.listLimit) more processes"))
    }
    for key in ["engine", "fallback"] {
      let label = key == "engine" ? "Engine" : "Fallback"
      facts.append(contentsOf: distinct(key).map { (label, $0) })
    }
    if origin.rateHertz > 0 {
      let delivered = deliveredHertz.map { ", \($0) Hz delivered" } ?? ""
      facts.append(("Rate", "\(origin.rateHertz) Hz requested\(delivered)"))
    }
    if origin.durationNanoseconds > 0 {
      facts.append(("Duration", ValueScale.time(origin.durationNanoseconds)))
    }
    if let cpuTime { facts.append(("CPU time", cpuTime)) }
    if origin.processes.contains(where: \.isUserOnly) {
      facts.append(("Kernel", "time in the kernel was not sampled"))
    }
    facts.append(("Samples", "\(accounting.samples), weight \(accounting.weight)"))
    if accounting.lostWeight > 0 { facts.append(("Lost", "\(losses) of the weight")) }
    if accounting.truncatedWeight > 0 {
      let percent = Decimal.percent(accounting.truncatedWeight, of: accounting.weight)
      facts.append(
        ("Truncated", "\(accounting.truncatedWeight) of the weight, \(percent) %"))
    }
    facts += accounting.allocations.map { $0.facts + [("Values", valuesText)] } ?? []
    for thread in accounting.blockedThreads.prefix(Self.listLimit) {
      facts.append(("Blocked", describe(thread)))
    }
    if accounting.blockedThreads.count > Self.listLimit {
      facts.append(("", "and \(accounting.blockedThreads.count - Self.listLimit) more threads"))
    }
    facts.append(contentsOf: origin.warnings.prefix(Self.listLimit).map { ("Warning", $0) })
    if origin.warnings.count > Self.listLimit {
      facts.append(("", "and \(origin.warnings.count - Self.listLimit) more warnings"))
    }
    if let excerptText { facts.append(("Filter", excerptText)) }
    return facts
  }

  /// What can be counted.
  private var valuesText: String { "--value \(valueNames.joined(separator: ", "))" }

  private func describe(_ thread: Origin.BlockedThread) -> String {
    let cpu = ValueScale.time(thread.cpuNanoseconds)
    return "thread \(thread.tid) \(thread.name) blocks the sampling signal: \(cpu) not sampled"
  }

  private func describe(_ process: Origin.Process) -> String {
    let command = process.info["command"] ?? process.info["executable"]
    let end = process.endReason ?? "cut short"
    guard let command else { return "\(process.pid), \(end)" }
    return "\(process.pid), \(end): \(Self.shortened(command))"
  }

  /// A command line as far as it is shown.
  static func shortened(_ command: String) -> String {
    let shown = command.prefix(commandLimit)
    return shown.count < command.count ? "\(shown)…" : command
  }

  /// The values of a fact over all processes, each once, in order.
  private func distinct(_ key: String) -> [String] {
    var seen: Set<String> = []
    return origin.processes.compactMap { $0.info[key] }.filter { seen.insert($0).inserted }
  }

  private var cpuTime: String? {
    guard let sampled = accounting.sampledNanoseconds else { return nil }
    let used = accounting.cpuNanoseconds
    let scale = ValueScale(
      unit: "nanoseconds", largest: Int64(clamping: max(sampled, used ?? 0)))
    let sampledText = "\(scale.text(Int64(clamping: sampled))) sampled"
    guard let used, let missing = accounting.unsampledNanoseconds else { return sampledText }
    let text = "\(scale.text(Int64(clamping: used))) used, \(sampledText)"
    guard missing > 0 else { return text }
    let percent = Decimal.percent(Int64(clamping: missing), of: Int64(clamping: used))
    return "\(text), \(scale.text(Int64(clamping: missing))) (\(percent) %) not sampled"
  }

  private var losses: String {
    let parts = accounting.losses.filter { $0.weight > 0 }.map { "\($0.reason) \($0.weight)" }
    let detail = parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    return "\(accounting.lostWeight)\(detail)"
  }

  /// One line that is always there: what came in, what should have, what is missing.
  var line: String {
    let expected = accounting.expectedWeight.map { "expected \($0)" } ?? "expected not known"
    let lost = accounting.losses.isEmpty ? "lost not known" : "lost \(losses)"
    let incomplete = origin.isIncomplete ? "; incomplete, see the warnings" : ""
    return "Accounting: \(accounting.samples) samples of weight \(accounting.weight); \(expected); "
      + "\(lost); \(accounting.rates)\(accounting.allocations.map { "; \($0.line)" } ?? "")\(incomplete)\(excerptText.map { "; \($0)" } ?? "")."
  }
}
