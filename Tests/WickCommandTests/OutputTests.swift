import Foundation
import Glibc
import Testing

/// Where outputs go: links, descriptors, columns, streams that others share.
@Suite struct OutputTests {
  private static let stacks = Data("main;work 3\n".utf8)

  @Test func linksStayLinks() throws {
    try Command.withFolder { folder in
      let file = folder.appending(path: "real.folded")
      try Data("old".utf8).write(to: file)
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: "link").path, withDestinationPath: "real.folded")
      let outcome = try Command.run(
        "folded", "-", "-o", "link", folder: folder, input: Self.stacks)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(try Data(contentsOf: file) == Self.stacks)
      #expect(
        try FileManager.default.destinationOfSymbolicLink(
          atPath: folder.appending(path: "link").path) == "real.folded")
      #expect(try Command.names(in: folder) == ["link", "real.folded"])
    }
  }

  @Test func standardOutputByNameIsNotReplaced() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "folded", "-", "-o", "/dev/stdout", folder: folder, input: Self.stacks)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(Data(outcome.output.utf8) == Self.stacks)
      let third = try Command.run(
        "/bin/bash", ["-c", "\"$0\" folded - -o /dev/fd/3 3> x", Command.wick], folder: folder,
        input: Self.stacks)
      #expect(third.exitCode == 0, "\(third.errors)")
      #expect(try Data(contentsOf: folder.appending(path: "x")) == Self.stacks)
    }
  }

  @Test func pipesAreRead() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run(
        "/bin/bash", ["-c", "\"$0\" flamegraph <(printf 'main;work 3\\n')", Command.wick],
        folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(try Command.names(in: folder) == ["wick.svg"])
    }
  }

  @Test func fullPipeThatDoesNotBlockIsWaitedFor() throws {
    try Command.withFolder { folder in
      let lines = (0..<50_000).map { "main;function\($0) 1\n" }.joined()
      let file = folder.appending(path: "many.folded")
      try Data(lines.utf8).write(to: file)
      let pipe = Pipe()
      let writing = pipe.fileHandleForWriting
      try #require(fcntl(writing.fileDescriptor, F_SETFL, O_NONBLOCK) == 0)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Command.wick)
      process.arguments = ["folded", file.path]
      process.standardOutput = writing
      try process.run()
      try writing.close()
      // The pipe holds 64 KiB; it is full before anything is read.
      usleep(300_000)
      let received = try pipe.fileHandleForReading.readToEnd()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(received?.count == lines.utf8.count)
    }
  }

  @Test func columnsAreDrawnByName() throws {
    try Command.withFolder { folder in
      let recorded = try Command.run(
        "record", "-F", "997", "-o", "x.wick", "--", Command.probe, "burn", "0.2", folder: folder)
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      func total(_ column: String) throws -> Int {
        let outcome = try Command.run(
          "flamegraph", "--column", column, "x.wick", "-o", "-", folder: folder)
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        return Int(try #require(outcome.output.firstMatch(of: /data-total="(\d+)"/)).1) ?? 0
      }
      let samples = try total("samples")
      #expect(samples > 100)
      #expect(try total("cpu") == samples * (1_000_000_000 / 997))
      let unknown = try Command.run("flamegraph", "-c", "wall", "x.wick", folder: folder)
      #expect(unknown.exitCode == 2)
      #expect(unknown.errors.contains("no value 'wall' in x.wick, only 'samples', 'cpu'"))
    }
  }

  @Test func hostileNamesStayOneHarmlessLine() throws {
    try Command.withFolder { folder in
      let outcome = try Command.run("report", "a\nb\u{1b}[31m", folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors.split(separator: "\n").count == 1)
      #expect(!outcome.errors.contains("\u{1b}"))
    }
  }
}
