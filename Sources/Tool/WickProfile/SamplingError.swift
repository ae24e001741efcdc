internal import Glibc

/// How far an estimate may be from the truth, as only some of the allocations were followed.
///
/// `followed` objects stand for `objects`. How many are followed varies by chance as counts of rare
/// events do, less what is certain because it was seen: the variance of the estimate is
/// `followed` · (`objects` ÷ `followed`)² · (1 − `followed` ÷ `objects`).
///
/// Of large objects nearly all are followed, and `objects`, a whole number, may not tell the rest: their
/// size does. An object of s bytes is followed with the probability 1 − exp(−s ÷ `interval`).
public struct SamplingError: Hashable, Sendable {
  /// What was seen.
  public var followed: Int64
  /// What that stands for.
  public var objects: Int64
  /// What it stands for in bytes; 0 where that is not known.
  public var bytes: Int64
  /// Mean bytes between two followed objects, the largest if there were several; 1 where every one was
  /// followed.
  public var interval: UInt64

  /// Creates the error of an estimate.
  public init(followed: Int64, objects: Int64, bytes: Int64 = 0, interval: UInt64 = 1) {
    self.followed = followed
    self.objects = objects
    self.bytes = bytes
    self.interval = interval
  }

  /// The part of the objects that was not followed, as far as can be told.
  private var unseenShare: Double {
    let byCount = 1 - Double(followed) / Double(max(objects, followed))
    guard interval > 1 else { return byCount }
    // Each followed object stands for s ÷ (1 − exp(−s ÷ interval)) bytes, which is more than the
    // interval: if it is less, there are such as were followed without a choice.
    let mean = Double(bytes) / (Double(followed) * Double(interval))
    guard mean > 1 else { return byCount }
    // Newton's method for x ÷ (1 − exp(−x)) = mean, where x = s ÷ interval. It comes from above and stays
    // there, as the function is convex.
    var size = mean
    for _ in 0..<32 {
      let rest = mean * exp(-size)
      guard rest < 1 else { break }
      size -= (size - mean + rest) / (1 - rest)
    }
    return max(byCount, exp(-size))
  }

  /// Normal deviate of a two-sided 95 % interval.
  private static let deviate = 1.959963984540054

  /// The bounds of the 95 % interval, as factors of the estimate; nil where the estimate is exact, or
  /// nothing was followed.
  ///
  /// They are those of a Poisson count in Wilson and Hilferty's approximation, which are right for few
  /// objects as well, drawn together by what is certain.
  public var bounds: (lower: Double, upper: Double)? {
    guard followed > 0 else { return nil }
    let unseen = unseenShare
    guard unseen > 0 else { return nil }
    let count = Double(followed)
    func root(_ count: Double, _ deviate: Double) -> Double {
      let cube = 1 - 1 / (9 * count) + deviate / (3 * count.squareRoot())
      return count * max(cube * cube * cube, 0)
    }
    let chance = unseen.squareRoot()
    let lower = 1 - (1 - root(count, -Self.deviate) / count) * chance
    let upper = 1 + (root(count + 1, Self.deviate) / count - 1) * chance
    // What was followed was there. Of few that were not, their number tells more than its deviation.
    let most = 1 + Double(Self.mostUnseen(mean: count * unseen / (1 - unseen))) / count
    return (max(lower, 1 - unseen), max(upper, most * (1 - unseen)))
  }

  /// How many objects of so many that are to be expected are exceeded in 1 of 40 cases at most; 0 where
  /// there are enough that their deviation tells it.
  private static func mostUnseen(mean: Double) -> Int {
    guard mean < 20 else { return 0 }
    var term = exp(-mean)
    var (sum, number) = (term, 0)
    while sum < 0.975 {
      number += 1
      term *= mean / Double(number)
      sum += term
    }
    return number
  }

  /// The interval of a value that was estimated with these objects; nil where it is exact.
  public func interval(of value: Int64) -> ClosedRange<Int64>? {
    guard let bounds, value > 0 else { return nil }
    func scaled(_ factor: Double, _ rule: FloatingPointRoundingRule) -> Int64 {
      let product = (Double(value) * factor).rounded(rule)
      return product < 9.2e18 ? Int64(product) : .max
    }
    // What was followed was there, and has a byte at least; the value itself is rounded.
    let lower = max(scaled(bounds.lower, .down), min(followed, value))
    return lower...max(value, scaled(bounds.upper, .up))
  }

  /// Half of the interval's width towards its farther end in thousandths of the estimate, such as 123
  /// for ± 12.3 %; nil where it is exact.
  public var permille: Int64? {
    guard let bounds else { return nil }
    return Int64((1000 * max(1 - bounds.lower, bounds.upper - 1)).rounded(.up))
  }
}

extension Profile {
  /// The columns that tell the sampling error of a column.
  public struct SamplingColumns: Hashable, Sendable {
    /// Objects that the estimate is of.
    public var objects: Int
    /// How many were followed: of `base`, or of `objects` where that is nil.
    public var followed: Int
    /// A larger column of objects; of followed ones as large a part is taken as `objects` are of it.
    public var base: Int?
    /// Bytes of the objects.
    public var bytes: Int?
  }

  /// The largest mean of bytes between two followed allocations; 1 where all were followed.
  var largestInterval: UInt64 {
    origin.processes.compactMap { $0.heap?.intervals.max() }.reduce(1, max)
  }

  /// Where the sampling error of a column is from; nil where its values are exact or no estimates.
  public func samplingColumns(of column: Int) -> SamplingColumns? {
    guard origin.processes.contains(where: { $0.heap?.isSampled == true }) else { return nil }
    func index(_ type: ValueType) -> Int? { valueTypes.firstIndex(of: type) }
    guard let all = index(.allocatedObjects), let followed = index(.followed) else { return nil }
    switch valueTypes[column] {
    case .allocatedObjects, .allocatedSpace:
      return SamplingColumns(objects: all, followed: followed, bytes: index(.allocatedSpace))
    case .liveObjects, .liveSpace:
      guard let live = index(.liveObjects), let seen = index(.followedLive) else { return nil }
      return SamplingColumns(objects: live, followed: seen, bytes: index(.liveSpace))
    case .peakObjects, .peakSpace:
      return index(.peakObjects).map {
        SamplingColumns(objects: $0, followed: followed, base: all, bytes: index(.peakSpace))
      }
    case .temporary:
      return index(.temporary).map { SamplingColumns(objects: $0, followed: followed, base: all) }
    default: return nil
    }
  }
}
