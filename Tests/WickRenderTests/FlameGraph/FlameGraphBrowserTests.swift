import Foundation
import Testing
import WickProfile
import WickRender

/// Drives the script in a headless browser, where there is one.
@Suite(.enabled(if: Browser.path != nil, "needs chromium"))
struct FlameGraphBrowserTests {
  private let tree = CallTree(
    stacks: [
      ("main;serve;query;step", 30), ("main;serve;query;step;step", 20), ("main;serve;render", 25),
      ("main;log;step", 5), ("main;log", 10), ("idle", 10), ("all", 100),
    ])

  @Test func clickingZoomsAndResetRestores() throws {
    let facts = try Browser.run(
      FlameGraph(tree),
      """
      click("serve"); fact("zoomed", rects());
      click("main"); fact("caller", rects());
      document.querySelector(".reset").click(); fact("reset", rects());
      """)
    let whole = """
      all 0 100|all 0 50|idle 50 5|main 55 45|log 55 7.5|step 55 2.5|serve 62.5 37.5|\
      query 62.5 25|step 62.5 25|step 62.5 10|render 87.5 12.5
      """
    #expect(facts["reset"] == whole)
    let zoomed = """
      all 0 100|main 0 100|serve 0 100|query 0 66.67|step 0 66.67|step 0 26.67|render 66.67 33.33
      """
    #expect(facts["zoomed"] == zoomed)
    let caller = """
      all 0 100|main 0 100|log 0 16.67|step 0 5.56|serve 16.67 83.33|query 16.67 55.56|\
      step 16.67 55.56|step 16.67 22.22|render 72.22 27.78
      """
    #expect(facts["caller"] == caller)
  }

  @Test func searchCountsNestedMatchesOnceAndOnlyWhatIsShown() throws {
    let facts = try Browser.run(
      FlameGraph(tree),
      """
      search("STEP"); fact("all", matched());
      click("serve"); fact("zoomed", matched());
      key("Escape"); fact("cleared", matched() + document.querySelectorAll(".match").length);
      key("Escape"); fact("reset", String(rects().startsWith("all 0 100|all 0 50")));
      search("all"); fact("notTheRoot", matched());
      search("/^(query|log)$/"); fact("expression", matched());
      search("s.e"); fact("literal", matched());
      search("/(/"); fact("wrong", matched());
      search("STEP"); document.querySelector(".case").click(); fact("case", matched());
      """)
    #expect(facts["all"] == "27.50% in 3 boxes")
    #expect(facts["zoomed"] == "66.67% in 2 boxes")
    #expect(facts["cleared"] == "0")
    #expect(facts["reset"] == "true")
    #expect(facts["notTheRoot"] == "50.00% in 1 box")
    #expect(facts["expression"] == "32.50% in 2 boxes")
    #expect(facts["literal"] == "0.00% in 0 boxes")
    #expect(facts["wrong"] == "Not a valid expression")
    #expect(facts["case"] == "0.00% in 0 boxes")
  }

  @Test func theDetailLineTellsSharesOfAllOfZoomedAndOfTheCaller() throws {
    let facts = try Browser.run(
      FlameGraph(tree),
      """
      point("query"); fact("plain", detail());
      click("serve"); point("render"); fact("zoomed", detail());
      """)
    #expect(
      facts["plain"] == "query · 50 samples (self 0) · 25.00% of all · 66.67% of caller")
    #expect(
      facts["zoomed"] == """
        render · 25 samples (self 25) · 12.50% of all · 33.33% of zoomed · 33.33% of caller
        """)
  }

  @Test func hostileNamesDoNotRun() throws {
    let names = FlameGraphTextTests.hostile + ["<img src=x onerror=\"fact('ran','1')\">"]
    let text = names.joined(separator: " ")
    let options = FlameGraph.Options(title: text, subtitle: text)
    let graph = FlameGraph(CallTree(stacks: names.map { ($0, 1) }), options: options)
    let facts = try Browser.run(
      graph,
      """
      for (const g of boxes()) { g.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
        g.dispatchEvent(new MouseEvent("click", { bubbles: true })); }
      key("Escape"); search("<script>");
      fact("foreign", document.querySelectorAll("img, rect[onload], a").length);
      fact("scripts", document.querySelectorAll("script").length);
      fact("matched", matched());
      """)
    #expect(facts["ran"] == nil)
    #expect(facts["foreign"] == "0")
    #expect(facts["scripts"] == "2")
    #expect(facts["matched"] == "23.08% in 3 boxes")
  }
}

/// A headless browser.
enum Browser {
  static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Opens a graph with a second script behind its own and returns the facts that it noted.
  static func run(_ graph: FlameGraph, _ steps: String) throws -> [String: String] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "graph.svg")
    let script = "<script><![CDATA[\n\(helpers)\n\(steps)\nfact('done', 'yes');\n]]></script>"
    let document = graph.document.dropLast("</svg>\n".count) + script + "</svg>\n"
    try document.write(to: file, atomically: true, encoding: .utf8)

    let process = Process()
    process.executableURL = URL(filePath: try #require(path))
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,800",
      "--user-data-dir=\(folder.path)/profile", "--dump-dom", file.absoluteString,
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let dumped = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var facts: [String: String] = [:]
    for match in dumped.matches(of: /data-fact-(\w+)="([^"]*)"/) {
      facts[String(match.output.1)] = String(match.output.2)
    }
    try #require(facts["done"] == "yes", "the steps did not finish")
    return facts
  }

  private static let helpers = """
    const fact = (key, value) =>
      document.documentElement.setAttribute("data-fact-" + key, value);
    const boxes = () => [...document.querySelectorAll(".frames > g")];
    const nameOf = (g) => g.firstElementChild.textContent.split("\\n")[0];
    const named = (name) => boxes().find((g) => nameOf(g) === name);
    const send = (name, type) =>
      named(name).children[1].dispatchEvent(new MouseEvent(type, { bubbles: true }));
    const click = (name) => send(name, "click");
    const point = (name) => send(name, "mouseover");
    const key = (key) =>
      document.documentElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const search = (text) => {
      const field = document.querySelector(".query");
      field.value = text;
      field.dispatchEvent(new Event("input"));
    };
    const matched = () => document.querySelector(".matched").textContent;
    const detail = () => document.querySelector(".detail").textContent;
    const round = (value) => String(Math.round(parseFloat(value) * 100) / 100);
    const rects = () => boxes().filter((g) => g.getAttribute("display") !== "none")
      .map((g) => [nameOf(g), round(g.children[1].getAttribute("x")),
        round(g.children[1].getAttribute("width"))].join(" ")).join("|");
    """
}
