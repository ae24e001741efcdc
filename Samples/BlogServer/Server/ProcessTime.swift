/// The response header that says how long the server worked on a request.
enum ProcessTime {
  static let header = "X-Process-Time"

  /// Writes a duration in seconds with six decimals, as in `0.001234`.
  static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let micros = String(attoseconds / 1_000_000_000_000)
    return "\(seconds)." + String(repeating: "0", count: 6 - micros.count) + micros
  }
}
