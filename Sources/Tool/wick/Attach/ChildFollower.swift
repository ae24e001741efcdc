import Glibc
import WickTarget

/// Finds the processes that a process starts, by fork or exec, and has them recorded, too.
struct ChildFollower {
  private let root: Int32
  private let request: String
  private let folder: String
  private let isFilterAccepted: Bool
  /// Those that are recorded, and those that were given up.
  private var settled: Set<TargetProcess>
  private var tries: [TargetProcess: Int] = [:]
  private var nextLook = ContinuousClock.now
  /// Why children could not be recorded, the first reason.
  private(set) var refusal: (count: Int, reason: String)?

  /// Between two looks.
  private static let interval = Duration.milliseconds(100)
  /// How long one look waits for a child that can be entered.
  private static let patience = Duration.milliseconds(20)
  /// After so many looks a child is given up.
  private static let tryLimit = 100

  /// Follows the children of a process.
  ///
  /// - Parameters:
  ///   - root: The process.
  ///   - request: What agents are asked for.
  ///   - folder: Where recordings are made; who has one there is recorded already.
  ///   - isFilterAccepted: Whether a filter of system calls is no reason to refuse.
  init(of root: TargetProcess, request: String, folder: String, isFilterAccepted: Bool) {
    self.root = root.pid
    self.request = request
    self.folder = folder
    self.isFilterAccepted = isFilterAccepted
    settled = [root]
  }

  /// Looks for new children, now and then.
  ///
  /// - Parameter reception: Gets their recordings.
  mutating func look(_ reception: Reception) {
    guard ContinuousClock.now >= nextLook else { return }
    for process in TargetProcess.descendants(of: root) where !settled.contains(process) {
      attach(to: process, reception)
    }
    nextLook = ContinuousClock.now.advanced(by: Self.interval)
  }

  private mutating func attach(to process: TargetProcess, _ reception: Reception) {
    var status = stat()
    let isRecorded =
      unsafe stat("\(folder)/\(process.pid).wick", &status) == 0 && status.st_size > 0
    if isRecorded {
      settled.insert(process)
      return
    }
    tries[process, default: 0] += 1
    // It may be about to become another program, which records itself.
    guard tries[process, default: 0] > 1 else { return }
    do {
      let connection = try AttachedAgent.connect(
        to: process, isFilterAccepted: isFilterAccepted, limit: Self.patience)
      reception.add(
        try Feed(connection, to: process, request: request, folder: folder))
      settled.insert(process)
    } catch {
      let isLast = tries[process, default: 0] >= Self.tryLimit
      guard isLast, process.isAlive else { return }
      settled.insert(process)
      let reason = (error as? TargetError)?.reason ?? (error as? Failure)?.line ?? "\(error)"
      refusal = ((refusal?.count ?? 0) + 1, refusal?.reason ?? reason)
    }
  }
}
