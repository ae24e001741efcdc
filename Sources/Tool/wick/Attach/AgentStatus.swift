/// What an agent says of itself.
struct AgentStatus {
  var isRecording: Bool
  var version: String
  var engine: String
  var rate: Int
  var samples: String
  var lost: String
  var threads: String
  /// Since when it is recorded, such as "2 min 3 s".
  var elapsed: String
  /// Where the recording goes.
  var destination: String
  /// Mean number of bytes between two allocations that are followed, as `AllocationOptions` has it; nil
  /// of an agent that does not say.
  var allocationInterval: UInt64?

  /// Reads the answer to `status`.
  init(_ facts: [String: String]) {
    isRecording = facts["recording"] == "1"
    version = facts["version"] ?? "?"
    engine = facts["engine"] ?? "?"
    rate = facts["hz"].flatMap { Int($0) } ?? 0
    samples = facts["samples"].flatMap { Int64($0) }.map(Summary.grouped) ?? "?"
    lost = facts["lost"].flatMap { Int64($0) }.map(Summary.grouped) ?? "?"
    threads = facts["threads"] ?? "?"
    let seconds = (facts["since_ms"].flatMap { Int64($0) } ?? 0) / 1000
    elapsed =
      seconds < 60
      ? "\(seconds) s"
      : seconds < 3600
        ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3600) h \(seconds / 60 % 60) min"
    let client = facts["client"] ?? "0"
    destination = facts["to"] == "file" ? "a file" : "wick, process \(client)"
    allocationInterval = facts["alloc"].flatMap { UInt64($0) }
  }

  /// Which allocations are followed, as `wick switch` takes it: "all", "512k"; "-" for none.
  var allocations: String {
    guard isRecording, let interval = allocationInterval, interval > 0 else { return "-" }
    return AllocationOptions.size(interval)
  }
}
