/// What a column of values counts, and its unit.
public struct ValueType: Hashable, Sendable {
  /// What is counted, such as `samples` or `cpu`.
  public var name: String
  /// Base unit: `count`, `nanoseconds`, `milliseconds` or `bytes`.
  public var unit: String

  /// Creates a value type.
  public init(name: String, unit: String) {
    self.name = name
    self.unit = unit
  }

  /// Samples by weight.
  public static let samples = ValueType(name: "samples", unit: "count")
  /// CPU time.
  public static let cpu = ValueType(name: "cpu", unit: "nanoseconds")
}
