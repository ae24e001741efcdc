public import CWickFormat
internal import Glibc

/// Why bytes of a recording could not be written.
public struct RecordingWriteError: Error, Equatable, Sendable {
  /// The `errno`.
  public var code: Int32

  /// Creates an error.
  public init(code: Int32) {
    self.code = code
  }

  /// What a recording that this ended has as its reason, if that can still be written.
  public var endReason: EndReason {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: .diskFull
    default: .writeFailed
    }
  }
}
