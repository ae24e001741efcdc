internal import CWickKernel
internal import CWickUnwind
internal import Glibc
internal import WickRecording

/// Brings the agent into a process that was started without it.
///
/// A thread that waits in a system call, where it holds no lock that matters, is stopped for some
/// microseconds. It gets a small piece of code to run, which knows by itself how to go back: from the
/// moment that the thread goes on, it depends on nobody, and the system call is made again. What that
/// code does is in `wick_injection.c`.
public struct Injection {
  /// What was done.
  public struct Outcome: Sendable {
    /// A connection to the agent's control socket, which is the caller's to close.
    public var connection: Int32
    /// The thread that was used.
    public var tid: Int32
    /// How long it was kept from its work, at most.
    public var pause: Duration
    /// Whether the library was in the process from an earlier time.
    public var wasLoaded: Bool
  }

  private let process: TargetProcess
  private let library: [UInt8]
  /// How libraries of the agent begin, with the build-id: it may be in the process by any of them.
  private let heads: [[UInt8]]
  private let map: MemoryMap
  private let place: CodePlace
  private var plan = wick_injection()

  /// Whether a thread of the process runs behind a filter of system calls that may kill it.
  public static func isFiltered(_ process: TargetProcess) -> Bool {
    process.threads.contains { confinement(of: $0, process.pid) == filtered }
  }

  /// The modes of `seccomp(2)`: only a few calls are allowed at all, or a filter decides.
  private static let strict = "1"
  private static let filtered = "2"

  private static func confinement(of tid: Int32, _ pid: Int32) -> String? {
    ProcFile.fields("/proc/\(pid)/task/\(tid)/status")["Seccomp"]
  }

  /// The stack that the code needs below the thread's own, with the red zone.
  private static let stackByteCount: UInt64 = 128 + 4096
  /// Between two looks at the threads.
  private static let lookMicroseconds: UInt32 = 2000
  /// Between two looks at how far the code has come.
  private static let pollMicroseconds: UInt32 = 20
  /// How long the code waits for us at most, and a little more.
  private static let answerNanoseconds: UInt64 = 3_000_000_000

  /// Looks whether and how the process can be reached.
  ///
  /// - Parameters:
  ///   - process: The target.
  ///   - path: `libwick.so`.
  ///   - others: Libraries of the same build that may have brought the agent already.
  /// - Throws: `TargetError` with the reason why not; nothing was changed.
  public init(
    _ process: TargetProcess, library path: String, others: [String] = []
  ) throws(TargetError) {
    self.process = process
    let what = "process \(process.pid) (\(process.name))"
    if process.tracer != nil { throw TargetError(process.reasonForRefusal(EPERM)) }
    if process.isStopped {
      throw TargetError(
        "\(what) is stopped (by SIGSTOP or Ctrl-Z): nothing runs in it; 'kill -CONT \(process.pid)' "
          + "lets it go on, and 'wick dump \(process.pid)' shows where it stands")
    }
    try Self.checkProgram(process)
    map = MemoryMap(pid: process.pid)
    guard !map.mappings.isEmpty else {
      throw TargetError(process.reasonForRefusal(process.isAlive ? EPERM : ESRCH))
    }
    guard let file = try? MappedFile(path: path) else {
      throw TargetError("cannot read \(path)")
    }
    library = Self.loadedPart(of: file.bytes)
    try Self.checkLibrary(library, path: path)
    heads = [Array(library.prefix(Self.headByteCount))] + others.compactMap(Self.head)
    let starts = map.mappings.filter(\.isStartOfFile)
    var codeCount = 0
    guard let code = unsafe wick_injection_code_start(&codeCount) else {
      throw TargetError(
        "wick cannot attach on this kind of processor; start the server with "
          + "'wick record', or try --perf")
    }
    _ = unsafe code
    let modules = starts.compactMap { LoadedModule($0, pid: process.pid) }
    guard let place = CodePlace(for: codeCount, among: modules, of: map) else {
      throw TargetError(
        "there is no room for code in \(what); start the server with 'wick record', or try --perf")
    }
    self.place = place
    try makePlan(starts, what: what)
  }

  /// Finds the functions that are called.
  private mutating func makePlan(
    _ starts: [MemoryMap.Mapping], what: String
  ) throws(TargetError) {
    plan.name = (119, 105, 99, 107, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)  // "wick"
    if let own = starts.first(where: { isOurs($0) }),
      let symbols = RemoteSymbols(pid: process.pid, own),
      let serve = symbols.address(of: Self.serve),
      let dropTicks = symbols.address(of: Self.dropTicks)
    {
      (plan.serve, plan.drop_ticks) = (serve, dropTicks)
      return
    }
    for start in starts where Self.isLibrary(of: start.path) {
      guard let symbols = RemoteSymbols(pid: process.pid, start),
        let dlopen = symbols.address(of: "dlopen") ?? symbols.address(of: "__libc_dlopen_mode")
      else { continue }
      plan.dlopen = dlopen
      plan.dlerror = symbols.address(of: "dlerror") ?? 0
    }
    guard plan.dlopen != 0, plan.dlerror != 0 else {
      let isMusl = starts.contains { $0.path.contains("musl") }
      let reason =
        isMusl
        ? "is linked with musl, and libwick.so needs glibc"
        : "has no 'dlopen': it is statically linked, or its C library is not glibc"
      throw TargetError("\(what) \(reason); try --perf, which samples from outside")
    }
    plan.serve = try Self.offset(of: Self.serve, in: library)
    plan.drop_ticks = try Self.offset(of: Self.dropTicks, in: library)
  }

  private static let serve = "wick_agent_serve"
  private static let dropTicks = "wick_agent_drop_ticks"

  private static func isLibrary(of path: Substring) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name.hasPrefix("libc.so") || name.hasPrefix("libc-2") || name.hasPrefix("libdl.so")
      || name.hasPrefix("libdl-2")
  }

  /// Whether a mapping begins with a library of this very build.
  private func isOurs(_ start: MemoryMap.Mapping) -> Bool {
    guard
      start.path.hasSuffix("/libwick.so") || start.path.hasSuffix("/libwick-malloc.so")
        || start.path.hasPrefix("/memfd:wick")
    else { return false }
    return heads.contains { head in
      RemoteMemory.bytes(process.pid, at: start.range.lowerBound, count: head.count) == head
    }
  }

  private static let headByteCount = 4096

  private static func head(of path: String) -> [UInt8]? {
    guard let file = try? MappedFile(path: path) else { return nil }
    return Array(loadedPart(of: file.bytes).prefix(headByteCount))
  }

  /// Brings the agent in and opens a connection to it.
  ///
  /// - Parameters:
  ///   - limit: How long to wait for a thread that waits.
  ///   - mayStep: Whether a thread that runs may be brought, step by step, to where it can be used.
  /// - Returns: What was done, with the connection.
  /// - Throws: `TargetError`; the process goes on as if nothing had been.
  public mutating func run(
    limit: Duration, mayStep: Bool = false
  ) throws(TargetError) -> Outcome {
    var outcome: Result<Outcome, TargetError>?
    var attempt = self
    // On one thread, as the kernel wants it, and with all signals waiting.
    TracerThread.run { outcome = attempt.runHere(limit: limit, mayStep: mayStep) }
    guard let outcome else { throw TargetError("no thread to attach with") }
    return try outcome.get()
  }

  private mutating func runHere(
    limit: Duration, mayStep: Bool
  ) -> Result<Outcome, TargetError> {
    do throws(TargetError) {
      let end =
        HeldThread.now() + UInt64(limit.components.seconds) * 1_000_000_000
        + UInt64(limit.components.attoseconds / 1_000_000_000)
      var refusal: Int32 = 0
      repeat {
        guard process.isAlive else { throw TargetError(process.reasonForRefusal(ESRCH)) }
        for tid in process.threads {
          guard let look = ThreadLook(pid: process.pid, tid: tid),
            let place = look.place, ParkedCall.isParked(place, of: process.pid),
            Self.confinement(of: tid, process.pid) != Self.strict
          else { continue }
          if let address = try start(tid, &refusal) {
            return .success(try finish(tid, at: address))
          }
        }
        if mayStep, let (tid, address) = startRunning() {
          return .success(try finish(tid, at: address))
        }
        if refusal != 0 { throw TargetError(process.reasonForRefusal(refusal)) }
        usleep(Self.lookMicroseconds)
      } while HeldThread.now() < end
      let what = "process \(process.pid) (\(process.name))"
      throw TargetError(
        "no thread of \(what) waited within \(limit.components.seconds) s in a call where it is safe "
          + "to enter; try again, or --step, which may hold a thread for longer, or --perf, which "
          + "samples from outside")
    } catch {
      return .failure(error)
    }
  }

  /// Has a thread run the code.
  ///
  /// - Returns: Where its plan lies; nil if it does not stand where it may be used.
  private mutating func start(_ tid: Int32, _ refusal: inout Int32) throws(TargetError) -> UInt64? {
    let held: HeldThread
    do {
      held = try HeldThread(tid: tid, nanoseconds: 20_000_000)
    } catch {
      if case .refused(let code) = error { refusal = code }
      return nil
    }
    guard !held.hasSignal, !held.isOfStoppedProcess, let registers = held.registers(),
      let resuming = ParkedCall.resuming(registers, of: process.pid)
    else { return nil }
    return try enter(held, tid, registers, resuming: resuming)
  }

  /// Brings a thread that runs to a place where it can run the code.
  private mutating func startRunning() -> (tid: Int32, address: UInt64)? {
    let places = SteppingPlaces(pid: process.pid, map: map)
    for tid in process.threads where ThreadLook(pid: process.pid, tid: tid)?.state == .running {
      guard let held = places.hold(tid), let registers = held.registers() else { continue }
      let address = try? enter(held, tid, registers, resuming: registers)
      if let address = address ?? nil { return (tid, address) }
    }
    return nil
  }

  /// Has a held thread run the code.
  private mutating func enter(
    _ held: consuming HeldThread, _ tid: Int32, _ registers: user_regs_struct,
    resuming: user_regs_struct
  ) throws(TargetError) -> UInt64? {
    let top = (UInt64(registers.rsp) &- 128) & ~63
    let address = top &- UInt64(MemoryLayout<wick_injection>.stride + 63) & ~63
    // The stack below belongs to nobody, but must be there.
    guard let stack = map.mapping(at: address) ?? MemoryMap(pid: process.pid).mapping(at: address),
      stack.isWritable, address &- Self.stackByteCount >= stack.range.lowerBound,
      let mask = SignalMask(ofHeld: tid)
    else { return nil }
    save(resuming)
    plan.signal_mask = mask.bits
    let isWritten = unsafe withUnsafeBytes(of: &plan) {
      unsafe RemoteMemory.write(process.pid, at: address, $0)
    }
    guard isWritten else { return nil }
    var count = 0
    let code = unsafe UnsafeRawBufferPointer(
      start: wick_injection_code_start(&count), count: count)
    let failure = unsafe place.write(code, pid: process.pid)
    guard failure == 0 else { throw TargetError(process.reasonForRefusal(failure)) }
    var entry = registers
    entry.rip = numericCast(place.address)
    entry.rdi = numericCast(address)
    entry.rsp = numericCast(address)
    // No system call to make again: the code sees to that.
    entry.orig_rax = numericCast(UInt64.max)
    // Neither backwards copies nor steps.
    entry.eflags &= ~0x500
    // From here on it goes on with the code whatever becomes of us, and that knows the mask.
    guard Self.set(entry, ofHeld: tid) else { return nil }
    guard SignalMask.all.set(ofHeld: tid) else {
      _ = Self.set(registers, ofHeld: tid)
      return nil
    }
    return held.goOn(entry) ? address : nil
  }

  /// Gives a thread other registers; false if it was killed meanwhile.
  private static func set(_ registers: user_regs_struct, ofHeld tid: Int32) -> Bool {
    // PTRACE_SETREGS; see ptrace(2).
    let request: Int32 = 13
    var registers = registers
    return unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe wick_kernel_ptrace(request, tid, nil, $0) == 0
    }
  }

  private mutating func save(_ registers: user_regs_struct) {
    (plan.state, plan.go) = (0, 0)
    plan.rip = numericCast(registers.rip)
    plan.cs = numericCast(registers.cs)
    plan.rflags = numericCast(registers.eflags)
    plan.rsp = numericCast(registers.rsp)
    plan.ss = numericCast(registers.ss)
    plan.rax = numericCast(registers.rax)
    plan.rbx = numericCast(registers.rbx)
    plan.rcx = numericCast(registers.rcx)
    plan.rdx = numericCast(registers.rdx)
    plan.rsi = numericCast(registers.rsi)
    plan.rdi = numericCast(registers.rdi)
    plan.rbp = numericCast(registers.rbp)
    plan.r8 = numericCast(registers.r8)
    plan.r9 = numericCast(registers.r9)
    plan.r10 = numericCast(registers.r10)
    plan.r11 = numericCast(registers.r11)
    plan.r12 = numericCast(registers.r12)
    plan.r13 = numericCast(registers.r13)
    plan.r14 = numericCast(registers.r14)
    plan.r15 = numericCast(registers.r15)
  }

  // MARK: what the code asks of us

  private func finish(_ tid: Int32, at address: UInt64) throws(TargetError) -> Outcome {
    let begin = HeldThread.now()
    if plan.dlopen != 0 {
      let asked = try wait(for: 1, at: address)
      if asked.state == 1 { try fill(asked.memory_file, at: address) }
    }
    let answer = try wait(for: 2, at: address)
    let reason = answer.error_text == 0 ? nil : text(at: answer.error_text)
    var connection: Int32 = -1
    if answer.connection >= 0, answer.state == 2, reason == nil {
      connection = wick_kernel_take_descriptor(
        process.pid, Int32(truncatingIfNeeded: answer.connection))
    }
    write(2, to: \wick_injection.go, at: address)
    let pause = Duration.nanoseconds(Int64(HeldThread.now() - begin))
    let what = "process \(process.pid) (\(process.name))"
    if let reason { throw TargetError("\(what) cannot load libwick.so: \(reason)") }
    let failure =
      answer.memory_file < 0
      ? Int32(truncatingIfNeeded: -answer.memory_file)
      : answer.connection < 0 ? Int32(truncatingIfNeeded: -answer.connection) : -min(connection, 0)
    guard failure == 0, connection >= 0 else {
      let words = unsafe String(cString: strerror(failure))
      guard answer.memory_file >= 0 || !Self.isFiltered(process) else {
        throw TargetError(
          "a seccomp filter in \(what) forbids memfd_create(2), through which the agent comes in "
            + "(\(words)); start it with 'wick record', or try --perf")
      }
      throw TargetError("the agent cannot start in \(what): \(words); try --perf")
    }
    return Outcome(
      connection: connection, tid: tid, pause: pause, wasLoaded: plan.dlopen == 0)
  }

  /// Waits until the code has come so far.
  private func wait(for state: UInt64, at address: UInt64) throws(TargetError) -> wick_injection {
    let end = HeldThread.now() + Self.answerNanoseconds
    var seen = wick_injection()
    while HeldThread.now() < end {
      let count = unsafe withUnsafeMutableBytes(of: &seen) {
        unsafe RemoteMemory.read(process.pid, at: address, into: $0)
      }
      guard count == MemoryLayout<wick_injection>.size else {
        throw TargetError(process.reasonForRefusal(ESRCH))
      }
      if seen.state >= state { return seen }
      // Not a spin: this thread may be one that no other of its processor can interrupt, and the
      // target's may wait for that very processor.
      usleep(Self.pollMicroseconds)
    }
    throw TargetError(
      "process \(process.pid) (\(process.name)) did not get to load libwick.so in time; it goes on as "
        + "it was")
  }

  /// Copies the library into the file that the process has opened.
  private func fill(_ descriptor: Int64, at address: UInt64) throws(TargetError) {
    guard descriptor >= 0 else { return }
    let file = unsafe open("/proc/\(process.pid)/fd/\(descriptor)", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    guard unsafe Glibc.write(file, library, library.count) == library.count else { return }
    let path = Array("/proc/self/fd/\(descriptor)".utf8) + [0]
    let offset = UInt64(MemoryLayout<wick_injection>.offset(of: \.path) ?? 0)
    let isWritten = unsafe path.withUnsafeBytes {
      unsafe RemoteMemory.write(process.pid, at: address &+ offset, $0)
    }
    if isWritten { write(1, to: \wick_injection.go, at: address) }
  }

  private func write(
    _ value: UInt64, to field: KeyPath<wick_injection, UInt64>, at address: UInt64
  ) {
    let offset = UInt64(MemoryLayout<wick_injection>.offset(of: field) ?? 0)
    var value = value
    _ = unsafe withUnsafeBytes(of: &value) {
      unsafe RemoteMemory.write(process.pid, at: address &+ offset, $0)
    }
  }

  private func text(at address: UInt64) -> String {
    let bytes = RemoteMemory.bytes(process.pid, at: address, count: 200)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
