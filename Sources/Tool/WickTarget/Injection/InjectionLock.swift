internal import CWickKernel
internal import Glibc

/// Keeps other wicks from entering the same process at the same time, which would bring a second agent
/// there; ends with this value, or with this program.
public struct InjectionLock: ~Copyable {
  private let descriptor: Int32

  private static let lookMicroseconds: UInt32 = 5000

  /// Waits for the turn to enter a process.
  ///
  /// - Parameters:
  ///   - process: The process.
  ///   - limit: After so long it is this one's turn anyway: names may be taken by anybody.
  public init(_ process: TargetProcess, limit: Duration) {
    let end = ContinuousClock.now.advanced(by: limit)
    var held: Int32
    repeat {
      held = unsafe wick_kernel_hold_name("wick-attach-\(process.pid)-\(process.startTicks)")
      if held == -EADDRINUSE { usleep(Self.lookMicroseconds) }
    } while held == -EADDRINUSE && ContinuousClock.now < end
    descriptor = held
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
