import Foundation
import Testing
import WickProfile

@testable import WickRender

@Suite struct AnnotationJSONTests {
  private func parse(_ annotation: Annotation) throws -> [String: Any] {
    var text = ""
    annotation.writeJSON(to: &text)
    #expect(!text.contains("</script"))
    #expect(!text.contains("\u{1b}"))
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [String: Any])
  }

  @Test func holdsAllThatTheTextHolds() throws {
    let object = try parse(AnnotationTextTests.annotation(callers: true))
    #expect(object["version"] as? Int == 1)
    #expect(object["total"] as? Int == 10)
    let source = try #require((object["sources"] as? [[String: Any]])?.first)
    #expect(source["file"] as? String == "/src/a.c")
    #expect(source["path"] as? String == "/src/a.c")
    #expect(source["function"] is NSNull)
    #expect(source["lineCount"] as? Int == 9)
    #expect(source["hottestLine"] as? Int == 2)
    #expect(source["problems"] as? [String] == [])
    let lines = try #require(source["lines"] as? [[String: Any]])
    #expect(lines.map { $0["line"] as? Int } == Array(1...9))
    #expect(lines[1]["self"] as? Int == 9)
    #expect(lines[1]["selfPercent"] as? Double == 90)
    #expect((lines[1]["text"] as? String)?.contains("\u{1b}[31m // \"</script>\"") == true)
    let chain = try #require((source["inlinedInto"] as? [[String: Any]])?.first)
    #expect(chain["total"] as? Int == 6)
    #expect((chain["calls"] as? [[String: Any]])?.first?["function"] as? String == "outer")
    let callers = try #require(source["callers"] as? [[String: Any]])
    #expect(callers.map { $0["total"] as? Int } == [6, 3])
    #expect(callers.map { $0["isInlined"] as? Bool } == [true, false])
    #expect((object["accounting"] as? [String: Any])?["weight"] as? Int == 10)
  }

  @Test func whatIsNotKnownIsNull() throws {
    let profile = AnnotatedProfile.lines([([0], 3), ([2], 1)])
    let annotation = Annotation([AnnotatedProfile.source(profile, text: nil)], of: profile)
    let source = try #require((try parse(annotation)["sources"] as? [[String: Any]])?.first)
    #expect(source["path"] is NSNull && source["lineCount"] is NSNull)
    #expect(source["callers"] == nil)
    let lines = try #require(source["lines"] as? [[String: Any]])
    #expect(lines[0]["line"] is NSNull && lines[0]["self"] as? Int == 3)
    #expect(lines[1]["line"] as? Int == 2 && lines[1]["text"] is NSNull)
    #expect((source["problems"] as? [String])?.count == 1)
  }
}
