/// A thread's registers and stack as they were at one moment, from which its frames are found while
/// it goes on.
struct ThreadCapture {
  /// What is wanted of a thread.
  struct Request {
    var tid: Int32
    /// Whether it has to be stopped, as all registers are needed.
    var needsStop = false
    /// Addresses that are needed besides the stack's end, as a walk without them has shown.
    var addresses: [UInt64] = []

    init(_ tid: Int32) { self.tid = tid }
  }

  var request: Request
  var look: ThreadLook
  /// nil if they could not be had.
  var registers: Registers?
  var copies: [MemoryCopy] = []
  /// How long it stood still.
  var pauseNanoseconds: UInt64 = 0
  /// Why it could not be stopped.
  var failure: HeldThread.Failure?
}
