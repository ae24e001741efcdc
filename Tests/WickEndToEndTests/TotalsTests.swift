import Foundation
import Testing
import WickFormats
import WickProfile
import WickSymbols

/// The blog server under load, recorded through the command line as a user would.
@Suite(.serialized) struct TotalsTests {
  /// One recording in all its forms.
  struct Forms {
    var profile: Profile
    var folded: String
    var svg: String
    var report: String
  }

  private func record(in folder: URL) throws -> Forms {
    let outputs = ["wick", "folded", "svg"].map { folder.appending(path: "blog.\($0)").path }
    let log = folder.appending(path: "log")
    try Data().write(to: log)
    let wick = Process()
    wick.executableURL = Host.products.appending(path: "wick")
    wick.arguments =
      ["record", "-F", "997"] + outputs.flatMap { ["-o", $0] }
      + ["--", Host.products.appending(path: "WickBlogServer").path, "--port", "0"]
    wick.standardError = try FileHandle(forWritingTo: log)
    wick.standardOutput = FileHandle.nullDevice
    try wick.run()
    var address: Substring?
    for _ in 0..<600 where address == nil {
      usleep(50_000)
      let text = try String(contentsOf: log, encoding: .utf8)
      address = text.firstMatch(of: /http:\/\/[0-9.]+:[0-9]+/)?.output
    }
    let server = try #require(address, "the server did not say where it listens")
    try Host.run(
      "/usr/bin/wrk",
      ["-t1", "-c8", "-d3s", "-s", "Samples/demo.lua", String(server)], folder: Self.repository)
    kill(wick.processIdentifier, SIGTERM)
    wick.waitUntilExit()
    #expect(wick.terminationStatus == 0)
    let report = try Host.run("wick", ["report", "--json", outputs[0]])
    #expect(report.exitCode == 0)
    var symbolicator = Symbolicator()
    return Forms(
      profile: symbolicator.symbolicate(try Host.read(URL(fileURLWithPath: outputs[0]))),
      folded: try String(contentsOfFile: outputs[1], encoding: .utf8),
      svg: try String(contentsOfFile: outputs[2], encoding: .utf8),
      report: String(decoding: report.output, as: UTF8.self))
  }

  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test func formsAgreeToTheUnitAndStacksReachTheirThreadsEntry() throws {
    try Host.withFolder { folder in
      let forms = try record(in: folder)
      let total = forms.profile.total(of: 0)
      #expect(total > 1000)
      #expect(forms.profile.origin.statistic("weight") == UInt64(total))

      let folded = forms.folded.split(separator: "\n").reduce(Int64(0)) { sum, line in
        sum + (line.split(separator: " ").last.flatMap { Int64($0) } ?? 0)
      }
      #expect(folded == total)
      let width = forms.svg.firstMatch(of: /data-total="([0-9]+)"/)?.output.1
      #expect(width.flatMap { Int64($0) } == total)
      let root = CallTree(forms.profile).nodes[0].totalValue
      #expect(root == total)
      let json = try JSONSerialization.jsonObject(with: Data(forms.report.utf8))
      #expect(Self.numbers(in: json).contains(total))

      // A thread begins in clone or, the first one, in the program's entry.
      var entered = Int64(0)
      for (row, sample) in forms.profile.samples.enumerated() {
        let root = forms.profile.functions(of: sample.stack).last ?? ""
        if ["clone3", "clone", "__clone", "__clone3", "_start", "_dl_start_user"].contains(root) {
          entered += forms.profile.columns[0][row]
        }
      }
      #expect(Double(entered) >= Double(total) * 0.97, "\(entered) of \(total)")
    }
  }

  private static func numbers(in json: Any) -> [Int64] {
    if let object = json as? [String: Any] { return object.values.flatMap { numbers(in: $0) } }
    if let number = json as? NSNumber { return [number.int64Value] }
    return []
  }
}
