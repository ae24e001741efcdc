import Testing
import WickProfile

@testable import WickRender

struct FlameGraphTextTests {
  static let hostile = [
    "<script>alert(1)</script>", "</title><script>alert(2)</script>", "]]></script><script>x()//",
    "\"><rect onload='x()'/>", "a & b &amp; &#x3c;", "<!--", "<?xml?>", "javascript:x()",
    "line\nbreak\ttab\r\0end\u{1b}[31m", "\u{202e}gnp.exe", "\u{fffe}\u{ffff}\u{85}",
    "emoji 👩‍👩‍👧 and 漢字",
  ]

  @Test(arguments: hostile)
  func namesAndTitlesAreInert(name: String) throws {
    let plain = try ParsedPicture(
      FlameGraph(
        Profile(stacks: [("plain", 1)], module: "/m"),
        options: FlameGraph.Options(title: "t", subtitle: "s")
      ).document)
    var profile = Profile(valueTypes: [ValueType(name: name, unit: "count")])
    let path = name.replacing("/", with: "|")
    profile.modules = [Module(path: path, buildID: [], loadBias: 0, extent: 0..<1)]
    let frame = profile.intern(Frame(module: 0, function: name))
    profile.add(Profile.Sample(stack: profile.stack(parent: 0, frame: frame)), values: [2])
    let options = FlameGraph.Options(title: name, subtitle: name)
    let picture = try ParsedPicture(FlameGraph(profile, options: options).document)

    // Whatever the name, the document has the same elements and attributes.
    #expect(picture.elementNames == plain.elementNames)
    #expect(picture.attributeNames == plain.attributeNames)
    #expect(picture.boxes.count == 2)
    let shown = picture.boxes[1].hover.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(shown.count == 3)
    #expect(picture.texts["headline"].map { $0 == shown[0] } == true)
    #expect(picture.texts["subtitle"].map { $0 == shown[0] } == true)
    if !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }),
      !name.unicodeScalars.contains("\u{202e}"), !name.unicodeScalars.contains("\u{fffe}")
    {
      #expect(shown[0] == name)
    }
  }

  @Test func whatXMLCannotHoldIsMadeVisible() {
    #expect(SVGText.escaped("a\nb\0\u{7f}\u{202e}\u{ffff}") == "a␊b␀␡\u{fffd}\u{fffd}")
    #expect(SVGText.escaped("<&>\"'") == "&lt;&amp;&gt;&quot;&#39;")
  }

  @Test func labelsAreCutWithAnEllipsis() {
    #expect(SVGText.fitted("abcdefgh", columns: 8) == "abcdefgh")
    #expect(SVGText.fitted("abcdefgh", columns: 7) == "abcdef…")
    #expect(SVGText.fitted("abcdefgh", columns: 3) == "")
    #expect(SVGText.fitted("漢字漢字", columns: 8) == "漢字漢字")
    #expect(SVGText.fitted("漢字漢字", columns: 7) == "漢字漢…")
    #expect(SVGText.fitted("漢字漢字", columns: 6) == "漢字…")
    #expect(SVGText.fitted("ééééé", columns: 5) == "ééééé")
    #expect(SVGText.fitted("ééééé", columns: 4) == "ééé…")
  }

  @Test func labelsOfTheStaticPictureFitTheirBoxes() throws {
    let picture = try ParsedPicture(FlameGraph(FlameGraphTests.busy).document)
    var cut = 0
    for box in picture.boxes where !box.label.isEmpty {
      #expect(Double(box.label.count) * 7.32 + 6 <= box.percentWidth / 100 * 1176)
      if box.label.hasSuffix("…") { cut += 1 } else { #expect(box.label == box.name) }
    }
    #expect(cut > 0)
  }

  @Test func sharesAreRoundedHalfUp() {
    #expect(ValueText.percent(1, of: 8) == "12.50%")
    #expect(ValueText.percent(1, of: 3) == "33.33%")
    #expect(ValueText.percent(2, of: 3) == "66.67%")
    #expect(ValueText.percent(1, of: 20_000) == "0.01%")
    #expect(ValueText.percent(1, of: 20_001) == "0.00%")
    #expect(ValueText.percent(.max, of: .max) == "100.00%")
    #expect(ValueText.percent(.max - 1, of: .max) == "100.00%")
    #expect(ValueText.percent(0, of: 0) == "0.00%")
  }

  @Test func digitsAreGrouped() {
    let texts = [0, 999, 1000, -1_234_567].map { ValueText.grouped($0) }
    #expect(texts == ["0", "999", "1,000", "-1,234,567"])
    #expect(ValueText.grouped(Int64.min) == "-9,223,372,036,854,775,808")
  }

  @Test func assetsMayStandInCDATA() {
    for asset in [PageAsset.script, PageAsset.style] {
      #expect(asset.utf8.count > 1000)
      #expect(!asset.contains("]]>"))
      #expect(!asset.contains("innerHTML") && !asset.contains("eval("))
      #expect(!asset.contains("url(") && !asset.contains("@import"))
      #expect(!asset.contains("getSubStringLength"))
    }
  }
}
