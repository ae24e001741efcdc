/// Why a process cannot be reached.
public struct TargetError: Error, Equatable, Sendable {
  /// One sentence for people: what is wrong and what to do.
  public var reason: String

  /// Creates an error.
  public init(_ reason: String) {
    self.reason = reason
  }
}
