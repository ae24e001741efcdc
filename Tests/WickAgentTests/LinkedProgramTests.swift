import Foundation
import Testing
import WickAgent

/// A C program that links the agent: what a stop leaves behind, and exec.
@Suite(.serialized) struct LinkedProgramTests {
  /// `Tests/Fixtures/Agent/linked-host.c` with the agent's sources.
  private struct Program {
    let folder: URL

    init(isStatic: Bool = false) throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let agent = root.appending(path: "Sources/InProcess/CWickAgent")
      let sources = try FileManager.default.contentsOfDirectory(atPath: agent.path)
        .filter { $0.hasSuffix(".c") }.sorted().map { agent.appending(path: $0).path }
      folder = FileManager.default.temporaryDirectory.appending(path: "wick-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let result = try UnwindProgram.run(
        "clang",
        [
          "-std=c2x", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-I\(agent.path)",
          "-I\(agent.path)/include", "-I\(root.path)/Sources/Shared/CWickFormat/include",
          "\(root.path)/Tests/Fixtures/Agent/linked-host.c",
        ] + sources + (isStatic ? ["-static"] : []) + ["-o", "\(folder.path)/linked-host"])
      try #require(result.status == 0, "\(result.errors)")
    }

    func run(_ arguments: String...) throws -> UnwindProgram.Output {
      try UnwindProgram.run(
        folder.appending(path: "linked-host").path, arguments + ["\(folder.path)/x.wick"])
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
  }

  /// The engines that work here, by number.
  private static let engines = WickAgentTests.engines.contains(.perf) ? [1, 2, 3, 4] : [3, 4]

  @Test(arguments: [false, true])
  func execsWhileTicksCome(isStatic: Bool) throws {
    let program = try Program(isStatic: isStatic)
    defer { program.remove() }
    for engine in Self.engines {
      let output = try program.run("exec", "40", "\(engine)")
      #expect(output.status == 0, "engine \(engine): \(output.errors)")
      #expect(output.text == "done\n")
    }
  }

  @Test(arguments: ["default", "ignore", "handle"])
  func stopLeavesNothingBehind(action: String) throws {
    let program = try Program()
    defer { program.remove() }
    for engine in Self.engines {
      for threads in [0, 2] {
        let output = try program.run("compare", "\(engine)", "\(threads)", action)
        #expect(output.status == 0, "\(output.errors)")
        // A tick may still wait in a system call that another thread sleeps in, where nobody sees
        // it: SIGTRAP (bit 4) is not given back to an action that it would kill by.
        let caught = engine == 1 && threads > 0 && action == "default" ? "10" : "0"
        let lines = output.text.split(separator: "\n")
        #expect(
          lines.first
            == """
            caught \(caught) ignored 0 blocked 0 descriptors 0 threads 0 timers 0 interval 0
            """, "engine \(engine), \(threads) threads")
        #expect(lines.last == "seen 1")
        #expect(action != "handle" || lines.contains("handled 0"))
      }
    }
  }

  @Test func ticksThatComeAfterTheStopDoNoHarm() throws {
    let program = try Program()
    defer { program.remove() }
    let output = try program.run("late")
    guard output.status != 77 else {
      print("too few descriptors here: late ticks are not tested")
      return
    }
    #expect(output.status == 0, "\(output.errors)")
    #expect(output.text == "alive\n")
  }

  /// Recordings end by themselves while another thread switches allocations on.
  @Test func switchingDuringTheEndLeavesNoHook() throws {
    let program = try Program()
    defer { program.remove() }
    let output = try program.run("switch")
    #expect(output.status == 0, "\(output.errors)")
    #expect(output.text == "hooked 1 left 0\n")
  }
}
