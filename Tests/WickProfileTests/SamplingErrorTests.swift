import Foundation
import Testing
import WickProfile

@Suite struct SamplingErrorTests {
  /// What stands for more than was seen covers the truth 95 times of 100, be the counts small or not.
  @Test(arguments: [4.0, 7, 12, 30, 200]) func intervalCoversThePoissonMean(mean: Double) {
    var (covered, probability) = (0.0, exp(-mean))
    for count in 0..<1000 {
      if count > 0 { probability *= mean / Double(count) }
      let estimate = SamplingError(followed: Int64(count), objects: Int64(count) * 10_000)
      guard let interval = estimate.interval(of: Int64(count) * 10_000) else { continue }
      if interval.contains(Int64(mean * 10_000)) { covered += probability }
    }
    #expect(covered > 0.93 && covered < 0.985, "\(covered)")
  }

  /// Where every second object is seen the interval is narrower by what is certain.
  @Test func intervalCoversThePartThatWasSeen() {
    let objects = 200
    var covered = 0.0
    for count in 1...objects {
      let logarithm =
        lgamma(Double(objects + 1)) - lgamma(Double(count + 1))
        - lgamma(Double(objects - count + 1)) - Double(objects) * log(2.0)
      let estimate = SamplingError(followed: Int64(count), objects: Int64(2 * count))
      guard let interval = estimate.interval(of: Int64(2 * count)) else { continue }
      #expect(interval.lowerBound >= count)
      if interval.contains(Int64(objects)) { covered += exp(logarithm) }
    }
    #expect(covered > 0.93 && covered < 0.985, "\(covered)")
  }

  /// Of objects of several intervals' size nearly all are followed; the number of the others is below one
  /// half, or hardly above, and rounded away.
  @Test(arguments: [1, 3, 10, 100, 1000], [1.0, 2, 3, 6, 9])
  func bytesOfFewLargeObjectsAreWithinTheirBounds(objects: Int, size: Double) throws {
    let interval = 524_288.0
    let chance = 1 - exp(-size)
    var (covered, seen) = (0.0, 0.0)
    for count in 1...objects {
      let ways =
        lgamma(Double(objects + 1)) - lgamma(Double(count + 1))
        - lgamma(Double(objects - count + 1))
      let probability = exp(
        ways + Double(count) * log(chance) - Double(objects - count) * size)
      let number = (Double(count) / chance).rounded()
      let bytes = (Double(count) * size * interval / chance).rounded()
      let error = SamplingError(
        followed: Int64(count), objects: Int64(number), bytes: Int64(bytes),
        interval: UInt64(interval))
      seen += probability
      let bounds = try #require(error.interval(of: Int64(bytes)))
      if bounds.contains(Int64(Double(objects) * size * interval)) { covered += probability }
      #expect(try #require(error.interval(of: Int64(number))).lowerBound >= count)
    }
    #expect(covered > 0.93 * seen, "\(covered) of \(seen)")
  }

  /// A part of the objects may have been followed while all were: their bytes tell nothing of chance.
  @Test func whatWasFollowedWithoutAChoiceIsExact() {
    let error = SamplingError(
      followed: 1_000_000, objects: 1_000_000, bytes: 16_000_000, interval: 65_536)
    #expect(error.interval(of: 16_000_000) == nil)
    let large = SamplingError(followed: 3, objects: 3, bytes: 9_437_184, interval: 1)
    #expect(large.interval(of: 9_437_184) == nil)
  }

  @Test func exactNumbersHaveNoInterval() {
    #expect(SamplingError(followed: 7, objects: 7).interval(of: 7) == nil)
    #expect(SamplingError(followed: 0, objects: 7).interval(of: 7) == nil)
    #expect(SamplingError(followed: 7, objects: 7).permille == nil)
    // A hundred of very many: 1.96 ÷ √100, and a little as counts are not symmetric.
    #expect((200...225).contains(SamplingError(followed: 100, objects: 1 << 40).permille ?? 0))
    let largest = SamplingError(followed: 1, objects: .max).interval(of: .max)
    #expect(largest?.upperBound == .max)
  }
}
