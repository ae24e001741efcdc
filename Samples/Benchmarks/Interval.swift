import Foundation

/// A mean with the interval that holds the true one with 95 %.
enum Interval {
  /// Prints the mean and its 95 % interval by Student's t.
  static func say(_ name: String, _ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
    // Two-sided 97.5 % points for 1…30 degrees of freedom.
    let points = [
      12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
      2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
      2.052, 2.048, 2.045, 2.042,
    ]
    let point = points[min(max(values.count - 2, 0), points.count - 1)]
    let half = point * (variance / count).squareRoot()
    print(
      String(format: "%@: %.4f ± %.4f (95 %%, %d rounds)", name, mean, half, values.count))
  }
}
