public import CWickFormat

/// A frame as a recording has it.
public struct RecordedFrame: Hashable, Sendable {
  /// The module that the address is in; nil for none.
  public var module: RecordingWriter.ModuleID?
  /// Module-relative or, in no module, a runtime address.
  public var address: UInt64
  /// What the address means.
  public var kind: RecordedFrameKind

  /// Creates a frame.
  public init(module: RecordingWriter.ModuleID?, address: UInt64, kind: RecordedFrameKind) {
    self.module = module
    self.address = address
    self.kind = kind
  }

  /// The mark of a stack that ends before its thread's entry.
  static func truncated(_ reason: TruncationReason) -> RecordedFrame {
    RecordedFrame(module: nil, address: UInt64(reason.rawValue), kind: .truncated)
  }
}
