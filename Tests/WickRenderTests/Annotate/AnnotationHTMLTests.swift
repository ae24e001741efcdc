import Foundation
import FoundationXML
import Testing
import WickProfile

@testable import WickRender

@Suite struct AnnotationHTMLTests {
  private static let hostile = [
    "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'&amp;<b>",
    "</style><style>*{display:none}</style>", "\u{1b}[31m\u{0}\u{7}", "\u{202e}txt.exe", "日本 🚀",
  ]

  private static func page(_ annotation: Annotation) -> String {
    var text = ""
    annotation.writeHTML(to: &text)
    return text
  }

  private static var hostilePage: String {
    var profile = Profile(valueTypes: [ValueType(name: hostile[0], unit: "count")])
    profile.modules = hostile.map {
      Module(path: "/\($0)", buildID: [], loadBias: 0, extent: 0..<9)
    }
    for (index, name) in hostile.enumerated() {
      let caller = profile.intern(
        Frame(module: index, address: 1, function: name, file: "/\(name)/x\(index)", line: 9))
      let frame = profile.intern(
        Frame(
          module: index, address: 2, function: name, file: "/dir/\(name)", line: 1,
          isInlined: true))
      let node = profile.stack(parent: profile.stack(parent: 0, frame: caller), frame: frame)
      profile.add(Profile.Sample(stack: node), values: [1])
    }
    let sources = hostile.map { name in
      let values = SourceValues(
        profile, file: "/dir/\(name)",
        function: CallTree.Function(
          name: name, module: String(name.split(separator: "/").last ?? "")))
      var source = AnnotatedSource(
        values.lines.isEmpty ? SourceValues(profile, file: "/dir/\(name)") : values, of: profile,
        text: ("/found/\(name)", SourceText(Array("\(name)\n".utf8))),
        newerThan: "/bin/\(name)", extent: .init(showsCallers: true))
      source.code = [
        CodeListing(
          module: name, problem: name, instructions: [.init(address: 1, byteCount: 1, text: name)])
      ]
      return source
    }
    return page(Annotation(sources, of: profile, title: hostile[0]))
  }

  @Test func hostileTextStaysText() {
    let page = Self.hostilePage
    #expect(!page.contains("<script"))
    #expect(!page.contains("<img"))
    #expect(page.components(separatedBy: "</style>").count == 2)
    #expect(
      !page.unicodeScalars.contains {
        $0.properties.generalCategory == .control && $0 != "\n" || $0 == "\u{202e}"
      })
    #expect(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"))
    #expect(page.contains("日本 🚀"))
  }

  /// But for its doctype and head the page is XML, so that a strict parser can judge the nesting.
  @Test func pageIsWellFormed() throws {
    for page in [Self.hostilePage, Self.page(AnnotationTextTests.annotation(callers: true))] {
      let body = try #require(page.range(of: "<body>"))
      let end = try #require(page.range(of: "</body>"))
      let text = page[body.lowerBound..<end.upperBound]
        .replacing(/<col class="[a-z]+">|<col>/, with: "")
      let parser = XMLParser(data: Data(text.utf8))
      #expect(parser.parse(), "\(String(describing: parser.parserError)) \(parser.lineNumber)")
    }
  }

  @Test func nothingIsAskedForAndNothingRuns() {
    let page = Self.hostilePage
    #expect(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""))
    for request in ["url(", "@import", "http:", "https:"] { #expect(!page.contains(request)) }
    for link in page.matches(of: /href="([^"]*)"/) { #expect(link.1.hasPrefix("#")) }
  }

  @Test func everyLinkLeadsSomewhere() {
    let page = Self.page(AnnotationTextTests.annotation(callers: true))
    let anchors = page.matches(of: /\ id="([^"]*)"/).map { String($0.1) }
    #expect(anchors.count == Set(anchors).count)
    #expect(anchors.contains("s1-L2") && anchors.contains("s1-L9"))
    for link in page.matches(of: /href="#([^"]*)"/) { #expect(anchors.contains(String(link.1))) }
  }

  @Test func titleIsEscapedOnce() {
    let page = Self.page(AnnotationTextTests.annotation())
    #expect(page.contains("<title>a &amp; b: annotated source</title>"))
  }

  /// The list counts other samples than the columns below it, so it must be said which.
  @Test func hottestLinesSayWhatTheyCount() {
    let page = Self.page(AnnotationTextTests.annotation())
    #expect(
      page.contains(
        "<h2>Hottest lines</h2>\n"
          + "<p class=\"facts\">samples in each line and in what it calls that has no source</p>"))
  }

  @Test func heatRisesWithTheShare() {
    let profile = AnnotatedProfile.lines([([1], 1000)])
    let annotation = Annotation([], of: profile)
    let heats = [0, 1, 12, 13, 50, 250, 1000].map { annotation.heat($0) }
    #expect(heats == [0, 1, 1, 2, 3, 5, 9])
  }

  @Test func sameInputGivesSameBytes() {
    #expect(Self.hostilePage == Self.hostilePage)
  }
}
