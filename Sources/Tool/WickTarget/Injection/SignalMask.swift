internal import CWickKernel

/// The signals that a thread of another process blocks, while that is held.
///
/// Of a thread that waits in a call with a mask of its own (sigsuspend, ppoll) it is the mask from
/// before that call. A signal that only the call lets through must stay for it when it is made again:
/// delivered earlier, it would not end the call, for which the thread then waits for ever.
struct SignalMask {
  /// Signal 1 is the lowest bit.
  var bits: UInt64

  static let all = SignalMask(bits: .max)

  private enum Request {
    /// PTRACE_GETSIGMASK and PTRACE_SETSIGMASK, with the size of the mask as address.
    static let get: Int32 = 0x420a
    static let set: Int32 = 0x420b
  }

  private static var size: UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: MemoryLayout<UInt64>.size)
  }

  private init(bits: UInt64) { self.bits = bits }

  /// Reads that of a thread; nil if it was killed meanwhile.
  init?(ofHeld tid: Int32) {
    bits = 0
    let failure = unsafe withUnsafeMutablePointer(to: &bits) {
      unsafe wick_kernel_ptrace(Request.get, tid, Self.size, $0)
    }
    guard failure == 0 else { return nil }
  }

  /// Gives it to a thread; false if that was killed meanwhile.
  func set(ofHeld tid: Int32) -> Bool {
    var bits = bits
    return unsafe withUnsafeMutablePointer(to: &bits) {
      unsafe wick_kernel_ptrace(Request.set, tid, Self.size, $0) == 0
    }
  }
}
