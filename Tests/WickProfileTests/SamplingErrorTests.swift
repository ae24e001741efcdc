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
