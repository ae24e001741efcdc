import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct HotLineReportTests {
  /// Two modules, inlined code, code without a line and without a name.
  static var profile: Profile {
    var profile = Profile(valueTypes: [.samples, .cpu])
    profile.modules = ["/usr/bin/server", "/lib/libc.so.6"].map {
      Module(path: $0, buildID: [1], loadBias: 0, extent: 0..<0x1000)
    }
    func frame(
      _ function: String, _ file: String?, _ line: UInt32, _ module: Int = 0,
      isInlined: Bool = false
    ) -> Int {
      profile.intern(
        Frame(
          module: module, address: UInt64(line), function: function, file: file, line: line,
          isInlined: isInlined))
    }
    let main = frame("main", "/src/app/main.swift", 3)
    let serve = frame("serve", "/src/app/serve.swift", 40)
    let hash = frame("hash", "/src/lib/main.swift", 7, isInlined: true)
    let copy = frame("memcpy", nil, 0, 1)
    let noLine = frame("serve", "/src/app/serve.swift", 0)
    let unnamed = profile.intern(Frame(module: 1, address: 0xabc))
    func add(_ frames: [Int], _ weight: Int64) {
      let node = frames.reduce(0) { profile.stack(parent: $0, frame: $1) }
      profile.add(Profile.Sample(stack: node), values: [weight, weight * 1_000_000])
    }
    add([main, serve, hash], 50)
    add([main, serve, hash, copy], 20)
    add([main, serve], 10)
    add([main, serve, serve], 5)
    add([main, noLine], 4)
    add([unnamed], 11)
    return profile
  }

  static func text(_ profile: Profile, column: Int = 0, limit: Int = 20) -> String {
    var text = ""
    HotLineReport(profile, column: column, limit: limit).writeText(to: &text)
    return text
  }

  static func json(_ profile: Profile, limit: Int = 20) throws -> [String: Any] {
    var text = ""
    HotLineReport(profile, limit: limit).writeJSON(to: &text)
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [String: Any])
  }

  @Test func showsLinesWithTheShortestNamesThatTellThemApart() {
    #expect(
      Self.text(Self.profile) == """
        CPU time   100.000 ms sampled
        Samples    6, weight 100
        Lines      known for 65.00 %

        Showing the top 6 of 6 lines: 100.00 % of 100 samples

        self  self %  total  total %  line              function         module
          50   50.00     70    70.00  lib/main.swift:7  hash             server
          20   20.00     20    20.00  (no line)         memcpy           libc.so.6
          15   15.00     85    85.00  serve.swift:40    serve            server
          11   11.00     11    11.00  (no line)         libc.so.6+0xabc  libc.so.6
           4    4.00      4     4.00  serve.swift:?     serve            server
           0    0.00     89    89.00  app/main.swift:3  main             server

        Accounting: 6 samples of weight 100; expected not known; lost not known; 0.00 % truncated.

        """)
  }

  @Test func showsTheColumnThatIsAskedFor() {
    let text = Self.text(Self.profile, column: 1, limit: 1)
    #expect(text.contains("Showing the top 1 of 6 lines: 50.00 % of 100.000 ms cpu"))
    #expect(text.contains("50.000 ms   50.00  70.000 ms    70.00  lib/main.swift:7"))
  }

  @Test func sumsAgreeWithTheFunctionReportAndTheProfile() throws {
    let profile = Self.profile
    let object = try Self.json(profile, limit: .max)
    let lines = try #require(object["lines"] as? [[String: Any]])
    #expect(lines.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == 100)
    #expect(object["total"] as? Int == 100)
    #expect(object["lineCount"] as? Int == 6)
    // Each function's lines add up to what the function report says.
    for row in HotFunctionReport(profile).table.rows {
      let sum = lines.filter { $0["function"] as? String == row.function.name }
        .reduce(0) { $0 + ($1["self"] as? Int ?? 0) }
      #expect(Int64(sum) == row.selfValue, "\(row.function.name)")
    }
  }

  @Test func writesWhatIsNotKnownAsNull() throws {
    let object = try Self.json(Self.profile)
    let lines = try #require(object["lines"] as? [[String: Any]])
    #expect(lines[0]["file"] as? String == "/src/lib/main.swift")
    #expect(lines[0]["line"] as? Int == 7)
    #expect(lines[1]["file"] is NSNull && lines[1]["line"] is NSNull)
    #expect(lines[4]["file"] as? String == "/src/app/serve.swift")
    #expect(lines[4]["line"] is NSNull)
    #expect((object["accounting"] as? [String: Any])?["weight"] as? Int == 100)
  }

  @Test func hostileNamesAreHarmless() throws {
    let name = "\u{1b}[31m\n</script>\u{202e}x"
    var profile = Profile(valueTypes: [.samples])
    let frame = profile.intern(Frame(function: name, file: "/a/\(name)", line: 1))
    profile.add(Profile.Sample(stack: profile.stack(parent: 0, frame: frame)), values: [1])
    let text = Self.text(profile)
    #expect(!text.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{202e}" })
    #expect(text.split(separator: "\n").count == 6)
    let lines = try #require(try Self.json(profile)["lines"] as? [[String: Any]])
    #expect(lines.first?["function"] as? String == name)
    #expect(lines.first?["file"] as? String == "/a/\(name)")
  }

  @Test func emptyProfileHasNoLines() {
    #expect(Self.text(Profile(valueTypes: [.samples])).contains("Showing the top 0 of 0 lines"))
  }
}
