/// Why bytes are not a recording at all; whatever follows a whole first header is no error.
public enum RecordingError: Error, Equatable, Sendable {
  /// There are no bytes.
  case empty
  /// The bytes do not begin as a recording does; `offset` is the first that differs.
  case notARecording(offset: Int)
  /// The bytes end at `offset`, inside the first header.
  case cutHeader(offset: Int)
  /// The header at `offset` contradicts its checksum or itself.
  case damagedHeader(offset: Int)
  /// The header at `offset` is whole, and of a version that this reader does not know.
  case unsupportedVersion(UInt32, offset: Int)
}
