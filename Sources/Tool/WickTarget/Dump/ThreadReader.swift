internal import CWickUnwind

/// Reads registers and stacks of a process's threads.
///
/// A thread that waits is not disturbed: the kernel tells where it does, and whether it still does
/// after its stack was copied. Where that is not enough, and for threads that run, one at a time is
/// stopped until its registers are read and its stack is copied.
struct ThreadReader {
  private let pid: Int32
  private let map: MemoryMap
  /// At most so many bytes of a stack are copied at first.
  private let stackLimit: Int
  /// Where copies are made while a thread stands still: memory that is there already.
  private var buffer: [UInt8]
  /// How long to wait for threads that do not stop, in all.
  private var patience: UInt64 = 500_000_000

  private static let patienceForOne: UInt64 = 50_000_000
  /// Bytes below the stack pointer that a function may use without moving it (System V ABI).
  private static let redZone: UInt64 = 128
  /// As much of a stack is copied if the usual was not enough.
  private static let deepLimit = 8 << 20
  /// What the stacks of all threads may take.
  private static let totalLimit = 512 << 20

  init(pid: Int32, map: MemoryMap, threadCount: Int) {
    self.pid = pid
    self.map = map
    stackLimit = min(max(Self.totalLimit / max(threadCount, 1), 16 << 10), 256 << 10)
    buffer = [UInt8](repeating: 0, count: stackLimit)
  }

  /// Captures threads; those that have ended are left out.
  mutating func capture(_ requests: [ThreadCapture.Request]) -> [ThreadCapture] {
    var captures: [ThreadCapture] = []
    var rest = requests[...]
    while !rest.isEmpty {
      TracerThread.run {
        while let request = rest.popFirst() {
          guard let capture = capture(request) else { continue }
          captures.append(capture)
          // It must not stop later.
          if capture.failure == .unresponsive { return }
        }
      }
    }
    return captures
  }

  private mutating func capture(_ request: ThreadCapture.Request) -> ThreadCapture? {
    guard let look = ThreadLook(pid: pid, tid: request.tid) else { return nil }
    var capture = ThreadCapture(request: request, look: look)
    guard look.state != .ended else { return capture }
    if !request.needsStop, captureQuietly(&capture, mustBeStill: true) { return capture }
    do throws(HeldThread.Failure) {
      try captureHeld(&capture)
    } catch {
      capture.failure = error
      if error == .unresponsive { _ = captureQuietly(&capture, mustBeStill: false) }
      if error == .ended { return nil }
    }
    return capture
  }

  /// Captures a thread that waits, and goes on waiting.
  ///
  /// - Parameters:
  ///   - capture: Has the look that was taken at it.
  ///   - mustBeStill: Whether it has to be certain that the thread has not run meanwhile.
  /// - Returns: Whether it is captured.
  private mutating func captureQuietly(
    _ capture: inout ThreadCapture, mustBeStill: Bool
  ) -> Bool {
    guard let place = capture.look.place, capture.look.isStill != nil || !mustBeStill else {
      return false
    }
    let registers = Registers(place)
    growBuffer(for: capture.request)
    let count = copyStack(registers, capture.request)
    keep(registers, count, in: &capture)
    copyOthers(&capture)
    if capture.look.isStill ?? !mustBeStill {
      capture.registers = registers
      return true
    }
    capture.copies = []
    return false
  }

  private mutating func captureHeld(_ capture: inout ThreadCapture) throws(HeldThread.Failure) {
    let limit = min(Self.patienceForOne, max(patience, 1_000_000))
    growBuffer(for: capture.request)
    let start = HeldThread.now()
    let thread: HeldThread
    do {
      thread = try HeldThread(tid: capture.request.tid, nanoseconds: limit)
    } catch {
      let waited = HeldThread.now() - start
      if error == .unresponsive { patience -= min(patience, waited) }
      throw error
    }
    guard let values = thread.registers() else { throw .ended }
    let registers = Registers(values)
    let count = copyStack(registers, capture.request)
    capture.copies = []
    if !capture.request.addresses.isEmpty { copyOthers(&capture) }
    let begin = thread.startNanoseconds
    _ = consume thread
    capture.pauseNanoseconds = HeldThread.now() - begin
    capture.registers = registers
    keep(registers, count, in: &capture)
  }

  /// Makes room, which costs time, before a thread stands still.
  private mutating func growBuffer(for request: ThreadCapture.Request) {
    let wanted = request.addresses.isEmpty ? stackLimit : Self.deepLimit
    if buffer.count < wanted { buffer = [UInt8](repeating: 0, count: wanted) }
  }

  private func stackStart(_ registers: Registers) -> UInt64 {
    let start = registers.stackPointer & ~7
    return start < Self.redZone ? 0 : start - Self.redZone
  }

  /// Copies the stack's end into the buffer; returns how many bytes that is.
  private mutating func copyStack(
    _ registers: Registers, _ request: ThreadCapture.Request
  ) -> Int {
    let start = stackStart(registers)
    let limit = request.addresses.isEmpty ? stackLimit : Self.deepLimit
    let end = map.mapping(at: start)?.range.upperBound ?? .max
    let count = Int(min(UInt64(limit), end - start))
    return unsafe buffer.withUnsafeMutableBytes {
      unsafe RemoteMemory.read(
        pid, at: start, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
    }
  }

  private func keep(_ registers: Registers, _ count: Int, in capture: inout ThreadCapture) {
    capture.copies.insert(
      MemoryCopy(start: stackStart(registers), bytes: Array(buffer[..<count])), at: 0)
  }

  /// Copies what a walk has missed, such as the stack that a signal came upon.
  private func copyOthers(_ capture: inout ThreadCapture) {
    for address in capture.request.addresses {
      if capture.copies.contains(where: { $0.word(at: address) != nil }) { continue }
      guard let mapping = map.mapping(at: address) else { continue }
      let count = min(mapping.range.upperBound - address, UInt64(Self.deepLimit))
      capture.copies.append(
        MemoryCopy(start: address, bytes: RemoteMemory.bytes(pid, at: address, count: Int(count))))
    }
  }
}
