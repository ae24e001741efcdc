import Foundation
import Testing
import WickTestPrograms

/// A recording with allocations, read as users do: through `wick report`.
struct AllocationRecording {
  let path: String
  let folder: URL
  /// What the program and `wick` wrote.
  var output = ""

  /// Which library comes in, and when.
  enum Way: CaseIterable {
    case preloaded, attached
  }

  /// A value of a place, and what sampling leaves open.
  struct Row: Decodable {
    var function: String?
    var module: String?
    var type: String?
    var total: Int64
    /// Bounds of the 95 % interval.
    var totalInterval: [Int64]?
  }

  /// A source line with what was allocated there, itself and in what it called.
  struct Line: Decodable {
    var file: String?
    var line: Int?
    var function: String?
    var `self`: Int64
    var total: Int64
  }

  /// What was lost, and how much all was.
  struct Account: Decodable {
    var intervals: [UInt64]
    var lostAllocations: UInt64
    var lostFrees: UInt64
    var unknownFrees: UInt64
    var agentBytes: UInt64
    var peakBytes: UInt64
    var inuse_objects: Int64
    var inuse_space: Int64
  }

  private struct Report: Decodable {
    struct Accounting: Decodable {
      var allocations: Account?
    }
    var total: Int64
    var functions: [Row]?
    var types: [Row]?
    var lines: [Line]?
    var accounting: Accounting
  }

  private func report(_ options: [String]) throws -> Report {
    let all = ["report", path, "--json", "--top", "1000000"] + options
    // Warnings are written to the same file.
    let run = try Program.run(
      "/bin/sh", ["-c", "exec \"$0\" \"$@\" 2>/dev/null", Self.wick] + all, folder: folder)
    try #require(run.exitCode == 0, "\(options): \(run.output)")
    return try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
  }

  /// Values by stack, as the names of its functions from the outermost on.
  func stacks(_ value: String) throws -> [[Substring]: Int] {
    let folded = folder.appending(path: "\(UUID().uuidString).folded").path
    let run = try Program.run(
      "wick", ["folded", "--value", value, path, "-o", folded], folder: folder)
    try #require(run.exitCode == 0, "\(run)")
    let text = try String(contentsOfFile: folded, encoding: .utf8)
    var stacks: [[Substring]: Int] = [:]
    for line in text.split(separator: "\n") {
      let space = try #require(line.lastIndex(of: " "))
      stacks[line[..<space].split(separator: ";"), default: 0] +=
        try #require(Int(line[space...].dropFirst()))
    }
    return stacks
  }

  private static let wick = Program.products.appending(path: "wick").path

  /// Values by function: each has that of all stacks in which it is.
  func functions(_ value: String) throws -> [String: Row] {
    let rows = try #require(try report(["--value", value]).functions)
    return Dictionary(rows.map { ($0.function ?? "", $0) }) { $0.total > $1.total ? $0 : $1 }
  }

  /// Lines by what was allocated there itself, most first.
  func lines(_ value: String) throws -> [Line] {
    try #require(try report(["--lines", "--value", value]).lines)
  }

  /// Values by type; "" is the key of what has none.
  ///
  /// - Parameters:
  ///   - value: Which of the recording's values.
  ///   - options: What chooses stacks.
  /// - Returns: The rows, whose keys are the types.
  /// - Throws: If there is no such report.
  func types(_ value: String, _ options: [String] = []) throws -> [String: Row] {
    let rows = try #require(try report(["--by", "type", "--value", value] + options).types)
    return Dictionary(rows.map { ($0.type ?? "", $0) }) { first, _ in first }
  }

  /// What was lost.
  func account() throws -> Account {
    try #require(try report(["--value", "alloc_objects"]).accounting.allocations)
  }

  /// Looks that nothing was lost, and that every allocation was followed.
  func expectComplete(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try expectNothingLost(sourceLocation: sourceLocation)
    #expect(try account().intervals == [1], sourceLocation: sourceLocation)
  }

  /// Looks that nothing was lost; a program that ends before the agent's first words does not tell what was
  /// followed.
  func expectNothingLost(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let account = try account()
    #expect(account.lostAllocations == 0, sourceLocation: sourceLocation)
    #expect(account.lostFrees == 0, sourceLocation: sourceLocation)
  }
}

extension AllocationRecording {
  /// Records a program from its first instruction or, if it says that it is ready and then waits, from
  /// there on, to the end of its work.
  ///
  /// - Parameters:
  ///   - way: Which library comes in, and when.
  ///   - program: Its path.
  ///   - arguments: Its arguments but "wait".
  ///   - interval: What stands behind `--alloc=`.
  ///   - more: Further options.
  ///   - folder: Where the recording is put.
  /// - Returns: The recording, with what the program wrote.
  /// - Throws: If the program or `wick` fails.
  static func make(
    _ way: Way, _ program: String, _ arguments: [String], interval: String = "all",
    more: [String] = [], folder: URL
  ) throws -> AllocationRecording {
    let path = folder.appending(path: "\(UUID().uuidString).wick").path
    let options = ["--alloc=\(interval)", "-o", path] + more
    switch way {
    case .preloaded:
      let run = try Program.run(
        "wick", ["record"] + options + ["--", program] + arguments, folder: folder)
      try #require(run.exitCode == 0, "\(run)")
      return AllocationRecording(path: path, folder: folder, output: run.output)
    case .attached:
      let target = try Program(program, arguments + ["wait"], folder: folder)
      try target.waitFor("ready\n")
      let wick = try attach(to: target, options, recording: path, folder: folder)
      target.say("\n")
      try target.waitFor("done\n")
      try stop(wick)
      target.closeInput()
      try #require(target.exitCode() == 0, "\(target.output)")
      return AllocationRecording(path: path, folder: folder, output: target.output)
    }
  }

  /// Begins to record a process that runs.
  static func attach(
    to target: Program, _ options: [String], recording: String, folder: URL
  ) throws -> Program {
    let wick = try Program("wick", ["attach", "\(target.pid)"] + options, folder: folder)
    // The agent has begun when it sends: into a hidden folder, until all is there.
    let parent = URL(filePath: recording).deletingLastPathComponent().path
    let hasBegun = Wait.until(seconds: 20) {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
      return wick.hasEnded
        || names.contains {
          $0.hasPrefix(".wick-")
            && FileManager.default.fileExists(atPath: "\(parent)/\($0)/\(target.pid).wick")
        }
    }
    try #require(hasBegun && !wick.hasEnded, "\(wick.output)")
    return wick
  }

  /// Ends what `attach` has begun; nothing may have happened meanwhile in the target.
  static func stop(_ wick: Program) throws {
    kill(wick.pid, SIGINT)
    let end = (exitCode: wick.exitCode(), output: wick.output)
    try #require(AttachedTarget.isFine(end), "\(end)")
  }

  /// The program's lines that begin with one of its places' names, and the numbers behind that.
  func truth(_ prefix: String) -> [(name: String, numbers: [Int64])] {
    output.split(separator: "\n").filter { $0.hasPrefix(prefix) }.map { line in
      // Types' names have no spaces here.
      let words = line.split(separator: " ")
      return (String(words[0]), words.dropFirst().compactMap { Int64($0) })
    }
  }
}
