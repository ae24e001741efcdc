import Foundation
import Testing
import WickTestPrograms

/// Stacks that were made before there was an agent to see how.
@Suite(.timeLimit(.minutes(5))) struct StackTests {
  /// A coroutine's stack and the thread's own look like one mapping, until a piece between them goes.
  @Test func stackBesideTheThreadsOwnIsNotTakenForIt() throws {
    try Place.withFolder { folder in
      let program = try Program("WickAgentProbe", ["stack-with-hole", "attached"], folder: folder)
      var target = AttachedTarget(pid: program.pid, folder: folder)
      target.rate = 4999
      let run = try target.attach(milliseconds: 10_000)
      #expect(run.exitCode == 0, "\(run)")
      #expect(program.exitCode() == 0, "\(program.output)")
    }
  }
}
