import Testing
import WickProfile

@testable import WickRender

struct FlameGraphGoldenTests {
  @Test func aSmallGraphIsDrawnLikeThis() {
    let tree = Profile(stacks: [("main;parse", 6), ("main", 1), ("main;send<A>(_:)", 1)])
    let options = FlameGraph.Options(title: "Small", subtitle: "8 samples · 99 Hz · 0 lost")
    var document = FlameGraph(tree, options: options).document
    document = document.replacing(PageAsset.script, with: "(script)")
    document = document.replacing(PageAsset.style, with: "(style)")
    // The compressed tree is the library's business; what is in it FlameGraphDataTests tell.
    document = document.replacing(/<desc>[^<]*/, with: "<desc>(tree)")
    document = document.replacing(/nonce(=.|-)[a-z0-9]+/) { "nonce\($0.output.1)(word)" }
    #expect(document == golden)
  }

  private let golden = """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" class="wick" width="100%" height="180" \
    viewBox="0 0 1200 180" preserveAspectRatio="xMidYMin meet" \
    data-total="8" data-unit="samples" data-left-out="0" data-row-height="16">
    <title>Small</title>
    <metadata><head xmlns="http://www.w3.org/1999/xhtml"><meta \
    http-equiv="Content-Security-Policy" content="default-src 'none'; \
    script-src 'nonce-(word)'; style-src 'nonce-(word)'"/></head></metadata>
    <style nonce="(word)"><![CDATA[
    (style)]]></style>
    <rect class="paper" width="100%" height="100%"/>
    <svg class="frames" x="12" y="92" width="1176" height="48">
    <g data-x="0" data-w="8" data-s="0" data-d="0"><title>all
    8 samples, 100.00%</title>\
    <rect x="0%" y="32" width="100%" height="15" rx="1" fill="#e8e2d7"/>\
    <text x="0%" dx="3" y="44">all</text></g>
    <g data-x="0" data-w="8" data-s="1" data-d="1"><title>main
    8 samples, 100.00%</title>\
    <rect x="0%" y="16" width="100%" height="15" rx="1" fill="#f6b57d"/>\
    <text x="0%" dx="3" y="28">main</text></g>
    <g data-x="0" data-w="6" data-s="6" data-d="2"><title>parse
    6 samples, 75.00%</title>\
    <rect x="0%" y="0" width="75%" height="15" rx="1" fill="#eea274"/>\
    <text x="0%" dx="3" y="12">parse</text></g>
    <g data-x="6" data-w="1" data-s="1" data-d="2"><title>send&lt;A&gt;(_:)
    1 sample, 12.50%</title>\
    <rect x="75%" y="0" width="12.5%" height="15" rx="1" fill="#f0b478"/>\
    <text x="75%" dx="3" y="12">send&lt;A&gt;(_:)</text></g>
    </svg>
    <g class="footer">
    <rect x="12" y="157" width="10" height="10" rx="2" fill="#f2b67a"/>\
    <text x="28" y="166">application</text>
    </g>
    <g class="header">
    <rect class="paper" width="100%" height="88"/>
    <text class="headline" x="12" y="28">Small</text>
    <text class="subtitle" x="12" y="47">8 samples · 99 Hz · 0 lost</text>
    <text class="detail" x="12" y="67" role="status"/>
    <text class="figures" x="12" y="83" role="status"/>
    </g>
    <metadata class="tree">
    <desc>(tree)</desc>
    </metadata>
    <script nonce="(word)"><![CDATA[
    (script)]]></script>
    </svg>

    """
}
