internal import CWickFormat

extension RecordedEngine {
  /// The engine for people, where the recording itself does not say.
  static func name(_ rawValue: UInt32) -> String {
    switch Self(rawValue: rawValue) {
    case .perfSigtrap: "perf task-clock with SIGTRAP"
    case .perfSignal: "perf task-clock with a signal"
    case .threadTimer: "thread CPU timer"
    case .processTimer: "process CPU timer"
    case .perfOutside: "perf task-clock from outside the process"
    default: "engine \(rawValue)"
    }
  }
}

extension RecordedStatistic {
  /// The statistic's Swift name.
  static func name(_ rawValue: UInt32) -> String {
    switch Self(rawValue: rawValue) {
    case .samples: "samples"
    case .weight: "weight"
    case .lostRingFull: "lostRingFull"
    case .lostNoSlot: "lostNoSlot"
    case .lostStackTable: "lostStackTable"
    case .truncated: "truncated"
    case .framePointerSteps: "framePointerSteps"
    case .foreignSignals: "foreignSignals"
    case .processCPUNanoseconds: "processCPUNanoseconds"
    case .agentCPUNanoseconds: "agentCPUNanoseconds"
    case .threads: "threads"
    case .unarmedThreads: "unarmedThreads"
    case .lostSlowReader: "lostSlowReader"
    case .lostAllocations: "lostAllocations"
    case .lostFrees: "lostFrees"
    case .unknownFrees: "unknownFrees"
    case .allocationMemory: "allocationMemory"
    case .peakBytes: "peakBytes"
    case .leftOutFrames: "leftOutFrames"
    default: "statistic\(rawValue)"
    }
  }
}

extension EndReason {
  /// The reason's Swift name.
  static func name(_ rawValue: UInt32) -> String {
    switch Self(rawValue: rawValue) {
    case .stopped: "stopped"
    case .exited: "exited"
    case .diskFull: "diskFull"
    case .writeFailed: "writeFailed"
    case .duration: "duration"
    case .exec: "exec"
    case .killed: "killed"
    case .noEngine: "noEngine"
    default: "reason\(rawValue)"
    }
  }

  /// What made the agent give up early, as the end of a sentence; nil for a regular end.
  static func failure(_ rawValue: UInt32) -> String? {
    switch Self(rawValue: rawValue) {
    case .diskFull: "the disk or quota was full"
    case .writeFailed: "writing the recording failed"
    case .noEngine: "no way to sample worked any more"
    default: nil
    }
  }
}

extension TruncationReason {
  /// The frame that stands where the stack was cut.
  static func frameName(_ rawValue: UInt32) -> String {
    switch Self(rawValue: rawValue) {
    case .depth: "[truncated: too deep]"
    case .memory: "[truncated: unreadable stack]"
    case .badFrame: "[truncated: implausible frame]"
    case .noRule: "[truncated: no unwind rule]"
    default: "[truncated]"
    }
  }
}
