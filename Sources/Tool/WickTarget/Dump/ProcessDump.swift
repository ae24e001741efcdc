internal import Glibc
public import WickProfile

/// All stacks of a process at one moment, or as close to one as they can be had without stopping it.
public struct ProcessDump: Sendable {
  /// A sample for each thread, in the order of `threads`; frames are addresses.
  public private(set) var profile: Profile
  /// By thread id.
  public private(set) var threads: [ThreadDump] = []
  /// Whether the process ended meanwhile, so that threads may be missing.
  public let hasEnded: Bool
  /// Time that all of it took.
  public let durationNanoseconds: UInt64

  /// New threads are looked for so often.
  private static let listLimit = 4
  /// A thread whose stack could not be walked is captured so often.
  private static let captureLimit = 4

  /// Reads the stacks of a process.
  ///
  /// - Parameters:
  ///   - process: The process.
  ///   - mayCutTransfers: Whether threads may be stopped, too, that wait until more of their bytes
  ///     can be written: the call then returns with a part of them.
  /// - Throws: `TargetError` if that may not be done, or not with this process.
  public init(of process: TargetProcess, mayCutTransfers: Bool = false) throws(TargetError) {
    let start = HeldThread.now()
    try Self.checkProgram(of: process)
    let map = MemoryMap(pid: process.pid)
    let code = LoadedCode(pid: process.pid, map: map)
    let stacks = Self.walk(process, code, mayCutTransfers: mayCutTransfers)
    for (capture, _) in stacks where capture.look.state != .ended {
      if case .refused(let code) = capture.failure, code != ESRCH {
        throw TargetError(process.reasonForRefusal(code))
      }
    }
    guard stacks.contains(where: { !$0.stack.steps.isEmpty }) || process.isAlive else {
      throw TargetError(process.reasonForRefusal(ESRCH))
    }
    profile = Profile(valueTypes: [ValueType(name: "threads", unit: "count")])
    hasEnded = !process.isAlive
    durationNanoseconds = HeldThread.now() - start
    var origin = Origin.Process(pid: UInt32(process.pid))
    origin.info["executable"] = ProcFile.link("/proc/\(process.pid)/exe") ?? process.name
    profile.origin.processes = [origin]
    profile.modules = code.modules.map(\.module)
    for (capture, stack) in stacks.sorted(by: { $0.capture.request.tid < $1.capture.request.tid }) {
      add(capture, stack, code, pid: process.pid)
    }
    profile.modules = code.modules.map(\.module)
  }

  private mutating func add(
    _ capture: ThreadCapture, _ stack: WalkedStack, _ code: LoadedCode, pid: Int32
  ) {
    var node = 0
    if let name = stack.end.frameName {
      node = profile.stack(
        parent: node, frame: profile.intern(Frame(kind: .truncated, function: name)))
    }
    for step in stack.steps.reversed() {
      node = profile.stack(parent: node, frame: profile.intern(Self.frame(step, code)))
    }
    let look = capture.look
    threads.append(
      ThreadDump(
        tid: capture.request.tid, name: look.name, state: look.state,
        systemCall: look.place?.systemCall,
        waitChannel: look.waitChannel, pauseNanoseconds: capture.pauseNanoseconds, stack: node))
    profile.threads.append(
      Profile.Thread(pid: UInt32(pid), tid: UInt32(capture.request.tid), name: look.name))
    profile.add(
      Profile.Sample(stack: node, thread: profile.threads.count - 1), values: [1])
  }

  private static func frame(_ step: WalkedStack.Step, _ code: LoadedCode) -> Frame {
    let lookup = step.kind == .returnAddress && !step.isSignalReturn ? 1 : 0 as UInt64
    let place = code.module(at: step.address &- lookup)
    let bias = place.map { code.modules[$0].module.loadBias } ?? 0
    return Frame(
      kind: step.kind, module: place, address: step.address &- bias,
      function: step.isSignalReturn ? "<signal handler called>" : "")
  }

  /// Captures and walks all threads, again where the first copy was not enough.
  private static func walk(
    _ process: TargetProcess, _ code: LoadedCode, mayCutTransfers: Bool
  ) -> [(capture: ThreadCapture, stack: WalkedStack)] {
    var known: Set<Int32> = []
    var captures: [ThreadCapture] = []
    var reader = ThreadReader(
      pid: process.pid, map: code.map, threadCount: process.threads.count)
    for _ in 0..<listLimit {
      let new = process.threads.filter { known.insert($0).inserted }
      if new.isEmpty { break }
      captures += reader.capture(new.map { ThreadCapture.Request($0) })
    }
    let walker = StackWalker(code: code)
    var results: [(capture: ThreadCapture, stack: WalkedStack)] = []
    for round in 1...captureLimit {
      var requests: [ThreadCapture.Request] = []
      for capture in captures {
        var stack = walker.walk(capture)
        if stack.end == .unknownRegister, capture.look.place?.isTransfer == true, !mayCutTransfers {
          stack.end = .transfer
          results.append((capture, stack))
        } else if round < captureLimit, let request = capture.request(after: stack) {
          requests.append(request)
        } else {
          results.append((capture, stack))
        }
      }
      if requests.isEmpty { break }
      captures = reader.capture(requests)
    }
    return results
  }

  /// Throws for programs whose stacks look otherwise.
  private static func checkProgram(of process: TargetProcess) throws(TargetError) {
    guard let header = ProcFile.bytes("/proc/\(process.pid)/exe", limit: 64) else {
      throw TargetError(process.reasonForRefusal(errno == ENOENT ? ESRCH : errno))
    }
    let what = "process \(process.pid) (\(process.name))"
    // EI_CLASS is at 4, e_machine at 18; EM_X86_64 is 62.
    guard header.count > 19, header[4] == 2 else {
      throw TargetError("\(what) is a 32-bit program; only those of 64 bits can be dumped")
    }
    guard header[18] == 62, header[19] == 0 else {
      throw TargetError("\(what) is of another architecture; only x86-64 can be dumped")
    }
  }
}

extension ThreadCapture {
  /// What has to be captured for a walk to get further; nil if there is nothing.
  fileprivate func request(after stack: WalkedStack) -> Request? {
    guard failure == nil else { return nil }
    var next = request
    if let address = stack.missingAddress, !next.addresses.contains(address) {
      next.addresses.append(address)
      return next
    }
    guard stack.end != .whole, pauseNanoseconds == 0 else { return nil }
    // Without all registers a wrong turn may have been taken.
    next.needsStop = true
    return next
  }
}
