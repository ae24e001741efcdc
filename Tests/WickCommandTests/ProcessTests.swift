import Foundation
import Testing

/// A recording of several processes, one of which becomes another program: in all views one can tell
/// them apart, and the sums are the same.
@Suite(.serialized) struct ProcessTests {
  private static let code = """
    #include <stdlib.h>
    __attribute__((noinline)) unsigned long spin(unsigned long n) {
      unsigned long sum = 1;
      for (unsigned long i = 0; i < n; i++) sum += sum * sum ^ i;
      return sum;
    }
    int main(int count, char **words) {
      unsigned long n = strtoul(words[1], 0, 10), sum = 0;
      for (unsigned long i = 0; i < n; i++) sum += spin(1000000 + sum % 2) + count;
      return sum == 1;
    }

    """

  /// Builds `heavy`, `light` and `last`, and records them in `all.wick`.
  private func record(in folder: URL) throws -> Command.Outcome {
    try Data(Self.code.utf8).write(to: folder.appending(path: "spin.c"))
    let built = try Command.run(
      "/bin/sh",
      ["-c", "gcc -g -O2 -o heavy spin.c && cp heavy light && cp heavy last"], folder: folder)
    try #require(built.exitCode == 0, "\(built.errors)")
    return try Command.run(
      "record", "-F", "997", "-o", "all.wick", "-o", "all.folded", "--", "/bin/bash", "-c",
      """
      ./heavy 300 & ./light 100 & wait
      for ((i = 0; i < 30000; i++)); do :; done
      exec ./last 100
      """, folder: folder)
  }

  /// The sum of folded text.
  private func sum(_ folded: some StringProtocol) -> Int {
    folded.split(separator: "\n").reduce(0) {
      $0 + (Int($1.split(separator: " ").last ?? "") ?? 0)
    }
  }

  @Test func viewsAgreeOnWhatEachProcessTakes() throws {
    try Command.withFolder { folder in
      let recorded = try record(in: folder)
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      #expect(recorded.errors.contains(" 3 processes, "))
      #expect(recorded.errors.contains("\nprocesses: heavy (pid "))
      func wick(_ arguments: [String]) throws -> String {
        let outcome = try Command.run(Command.wick, arguments + ["all.wick"], folder: folder)
        try #require(outcome.exitCode == 0, "\(outcome.errors)")
        return outcome.output
      }
      func json(_ arguments: String...) throws -> [String: Any] {
        let text = try wick(arguments + ["--json"])
        return try #require(
          try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      }
      let table = try json("report", "--by", "process")
      let total = try #require(table["total"] as? Int)
      let rows = try #require(table["processes"] as? [[String: Any]])
      #expect(rows.count == 3 && rows.reduce(0) { $0 + ($1["self"] as? Int ?? 0) } == total)
      let programs = rows.map { $0["programs"] as? [String] ?? [] }
      #expect(Set(programs) == [["heavy"], ["light"], ["bash", "last"]])
      #expect(rows[0]["command"] as? String == "./heavy 300")
      let text = try wick(["report", "--by", "process"])
      #expect(text.contains("  bash → last  ./last 100\n"))
      #expect(text.hasPrefix("Processes  3: heavy (pid "))

      let merged = try wick(["folded"])
      #expect(sum(merged) == total && !merged.contains("(pid "))
      let written = folder.appending(path: "all.folded")
      #expect(try String(contentsOf: written, encoding: .utf8) == merged)
      let split = try wick(["folded", "--processes"])
      #expect(sum(split) == total)
      let picture = try wick(["flamegraph", "--processes", "-o", "-"])
      #expect(picture.contains("data-total=\"\(total)\""))
      let tree = try json("report", "--tree", "--processes", "--min-percent", "0")
      let calls = try #require(tree["calls"] as? [[String: Any]])
      #expect(calls.count { $0["depth"] as? Int == 1 } == 3)
      for row in rows {
        let (own, pid) = (try #require(row["total"] as? Int), try #require(row["pid"] as? Int))
        let title = "\(try #require(row["name"] as? String)) (pid \(pid))"
        let lines = split.split(separator: "\n").filter { $0.hasPrefix("\(title);") }
        #expect(sum(lines.joined(separator: "\n")) == own)
        #expect(
          picture.contains("data-w=\"\(own)\" data-s=\"0\" data-d=\"1\"><title>\(title)\n"))
        let call = calls.first { $0["function"] as? String == title }
        #expect(call?["total"] as? Int == own && call?["depth"] as? Int == 1)
        let program = try #require((row["programs"] as? [String])?.last)
        for pattern in ["process:\(pid)", "process:\(program)", "process:/^\(program)$/"] {
          #expect(try json("report", "--focus", pattern)["total"] as? Int == own)
          #expect(
            try json("report", "--lines", "--ignore", pattern)["total"] as? Int == total - own)
        }
        #expect(try json("annotate", "--focus", "process:\(pid)")["total"] as? Int == own)
      }
      let threads = try wick(["folded", "--processes", "--threads"])
      #expect(threads.contains(/\nheavy \(pid (\d+)\);heavy \(tid \1\);/))
      #expect(sum(threads) == total)
    }
  }
}
