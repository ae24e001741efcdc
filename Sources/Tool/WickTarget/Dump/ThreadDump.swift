/// What one thread did, and where.
public struct ThreadDump: Hashable, Sendable {
  /// Thread id.
  public var tid: Int32
  /// Its name, at most 15 bytes.
  public var name: String
  /// What it did.
  public var state: ThreadState
  /// The system call that it waited in.
  public var systemCall: SystemCall?
  /// The kernel's function that it waited in, where that may be read.
  public var waitChannel: String?
  /// How long it stood still for this; 0 if it was not disturbed.
  public var pauseNanoseconds: UInt64
  /// Node of its stack in the profile.
  public var stack: Int
}
