import Testing
import WickProfile

@testable import WickRender

@Suite struct AnnotatedSourceTests {
  private func numbers(_ source: AnnotatedSource) -> String {
    source.rows.map { ($0.followsGap ? "…" : "") + "\($0.number)" }.joined(separator: " ")
  }

  @Test func showsTheNeighborhoodOfLinesWithWeight() {
    let profile = AnnotatedProfile.lines([([20, 50], 1)])
    let source = AnnotatedProfile.source(profile, text: AnnotatedProfile.text(100))
    #expect(numbers(source) == "…17 18 19 20 21 22 23 …47 48 49 50 51 52 53")
  }

  @Test func leavesOutNoSingleLine() {
    let profile = AnnotatedProfile.lines([([5, 13], 1)])
    let source = AnnotatedProfile.source(profile, text: AnnotatedProfile.text(17))
    #expect(numbers(source) == (1...17).map { "\($0)" }.joined(separator: " "))
    let more = AnnotatedProfile.lines([([6, 15], 1)])
    let gaps = AnnotatedProfile.source(more, text: AnnotatedProfile.text(20))
    #expect(numbers(gaps) == "…3 4 5 6 7 8 9 …12 13 14 15 16 17 18")
  }

  @Test func showsAllIfAsked() {
    let profile = AnnotatedProfile.lines([([50], 1)])
    let source = AnnotatedProfile.source(
      profile, text: AnnotatedProfile.text(100), extent: .init(context: nil))
    #expect(source.rows.map(\.number) == Array(1...100))
    #expect(!source.rows.contains { $0.followsGap })
    #expect(source.rows[49].selfValue == 1)
  }

  @Test func missingSourceStillHasItsLineNumbers() {
    let profile = AnnotatedProfile.lines([([20, 50], 1), ([51], 2), ([.max], 4)])
    let source = AnnotatedProfile.source(profile, text: nil)
    #expect(numbers(source) == "20 50 51 4294967295")
    #expect(source.problems == [.missing])
  }

  @Test func linesBehindTheEndAreShownAndSaid() {
    let profile = AnnotatedProfile.lines([([3, 9], 1)])
    let source = AnnotatedProfile.source(
      profile, text: AnnotatedProfile.text(4), newerThan: "/bin/x")
    #expect(numbers(source) == "1 2 3 4 …9")
    #expect(source.problems == [.newer(program: "/bin/x"), .short(lineCount: 4)])
  }

  @Test func lineThatIsAskedForIsShownWithoutWeight() {
    let profile = AnnotatedProfile.lines([([5], 1)])
    let source = AnnotatedProfile.source(
      profile, text: AnnotatedProfile.text(100), extent: .init(context: 1, line: 80))
    #expect(numbers(source) == "…4 5 6 …79 80 81")
    #expect(source.line?.number == 80)
    #expect(source.origins?.callers.isEmpty == true)
  }

  @Test func everyLineIsShownOnce() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let stacks = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
        ([UInt32.random(in: 0...60, using: &generator)], Int64(1))
      }
      let profile = AnnotatedProfile.lines(stacks)
      let lineCount = Int.random(in: 1...50, using: &generator)
      let source = AnnotatedProfile.source(
        profile, text: AnnotatedProfile.text(lineCount),
        extent: .init(context: Int.random(in: 0...4, using: &generator)))
      let shown = source.rows.map(\.number)
      #expect(shown == Array(Set(shown)).sorted())
      let weight = source.rows.reduce(0) { $0 + $1.selfValue }
      #expect(weight + (source.withoutLine?.selfValue ?? 0) == profile.total(of: 0))
      if let first = source.rows.first { #expect(first.followsGap == (first.number != 1)) }
      for (row, next) in zip(source.rows, source.rows.dropFirst()) {
        #expect(next.followsGap == (next.number != row.number + 1))
      }
    }
  }
}
