import Foundation
import FoundationXML
import Testing
import WickProfile

@testable import WickRender

@Suite struct HeapChartTests {
  private func chart(_ origin: Origin) -> String? {
    guard let chart = HeapChart(origin) else { return nil }
    var text = ""
    chart.write(to: &text)
    return text
  }

  private func origin(_ points: [(UInt64, Int64)]) -> Origin {
    var origin = memoryProfile(interval: 1).origin
    origin.processes[0].heap?.points = points.map {
      HeapHistory.Point(nanoseconds: $0.0, bytes: $0.1, objects: 1)
    }
    return origin
  }

  @Test func stepsFollowTheSeries() throws {
    let text = try #require(
      chart(origin([(0, 0), (5_000_000_000, 4 << 20), (10_000_000_000, 1 << 20)])))
    // From the left to the middle at nothing, then all of the height, at the end a quarter.
    #expect(text.contains("<path class=\"line\" d=\"M84 160H84V160H536V12H988V123\"/>"))
    for label in ["0 MiB", "4 MiB", "0 s", "10 s"] { #expect(text.contains(">\(label)</text>")) }
    #expect(
      text.contains(
        "0 B in 1 objects after 0 ns; most 4.000 MiB in 1 objects after 5.000 s; "
          + "1.000 MiB in 1 objects after 10.000 s"))
    #expect(!text.contains("estimated"))
    #expect(try #require(chart(memoryProfile().origin)).contains("; estimated from samples"))
  }

  @Test func pageHasTheChartOnlyWithAllocations() throws {
    func page(_ profile: Profile) -> String {
      let source = AnnotatedProfile.source(
        profile, file: "/src/app.swift", text: AnnotatedProfile.text(20))
      var text = ""
      Annotation([source], of: profile).writeHTML(to: &text)
      return text
    }
    let text = page(memoryProfile())
    #expect(text.contains("<svg class=\"heap\""))
    #expect(!text.contains("<script"))
    let picture = try #require(text.firstMatch(of: /<svg class="heap"(.|\n)*?<\/svg>/)).0
    #expect(XMLParser(data: Data(picture.utf8)).parse())
    #expect(!page(AnnotatedProfile.lines([([1], 3)], file: "/src/app.swift")).contains("<svg"))
  }

  /// Whatever a file says, there is a picture or none.
  @Test func oddSeriesDrawNothingOutside() throws {
    #expect(chart(Origin()) == nil)
    #expect(chart(origin([(5, 5)])) == nil)
    #expect(chart(origin([(0, 5), (0, 6)])) == nil)
    #expect(chart(origin([(1, 0), (2, -5)])) == nil)
    for points: [(UInt64, Int64)] in [
      [(.max, .max), (0, .min), (3, 7)], [(0, 1), (1, 1)], [(9, 5), (1, .max), (.max, 1)],
      (0..<5000).map { (UInt64($0) * 1_000_000, Int64($0 % 7) << 30) },
    ] {
      let text = try #require(chart(origin(points)))
      let path = try #require(text.firstMatch(of: /class="line" d="M([^"]*)"/)).1
      let numbers = path.split { !($0.isNumber || $0 == "-") }.compactMap { Int($0) }
      #expect(numbers.allSatisfy { $0 >= 12 && $0 <= 988 })
      #expect(numbers.count < 4000)
      #expect(text.count(where: { $0 == "\n" }) < 60)
    }
  }
}
