import Foundation
import Testing

/// Flame graphs in a real browser, and against what follows from their input; see `Tests/Browser`.
@Suite(.serialized) struct BrowserTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Browser")
  /// What a script says where there is no browser.
  private static let noBrowser: Int32 = 77

  private func expectSuccess(_ script: String, _ arguments: [String] = []) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["python3", Self.folder.appending(path: script).path, Command.wick] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if process.terminationStatus == Self.noBrowser {
      print("\(script): no browser")
    } else {
      #expect(process.terminationStatus == 0, "\(text)")
    }
  }

  @Test func everyControlDoesWhatItSays() throws { try expectSuccess("explore.py") }

  @Test func hostileNamesStayText() throws { try expectSuccess("hostile.py") }

  @Test func staticBoxesFollowFromTheInput() throws {
    let folded = Self.folder.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Output/blog.folded").path
    try expectSuccess("static.py", [folded])
  }
}
