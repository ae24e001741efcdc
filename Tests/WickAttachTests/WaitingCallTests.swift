import Foundation
import Testing
import WickTestPrograms

/// System calls that wait do what they do when nobody attaches: none is cut short, no signal is lost.
@Suite(.serialized, .timeLimit(.minutes(30))) struct WaitingCallTests {
  private static let names = [
    "epoll_wait", "epoll_pwait", "poll", "ppoll", "select", "pselect", "nanosleep",
    "clock_nanosleep", "clock_nanosleep_until", "recv_timeout", "sigtimedwait", "semtimedop",
    "sem_timedwait", "cond_timedwait", "io_uring", "accept", "recvmsg", "wait4", "waitid", "msgrcv",
    "semop", "flock", "pipe", "eventfd", "sigsuspend", "ppoll_signal", "pause", "epoll_wait_signal",
    "nanosleep_signal",
  ]

  @Test(arguments: names)
  func callIsWholeWhileAttached(name: String) throws {
    try Place.withFolder { folder in
      let program = try Program(try Fixture.calls.get(), [name], folder: folder)
      try program.waitFor("ready\n")
      var target = AttachedTarget(pid: program.pid, folder: folder)
      (target.rate, target.milliseconds) = (99, 20)
      for number in 0..<max(4, AttachedTarget.cycles / 2) {
        // It has ended where the system does not have the call.
        if program.hasEnded { break }
        let run = try target.attach()
        #expect(AttachedTarget.isFine(run) || program.hasEnded, "cycle \(number): \(run)")
      }
      if !program.hasEnded { target.expectAgentGone() }
      program.closeInput()
      let exitCode = program.exitCode(seconds: 20)
      if exitCode == 77 {
        print("not tested: this system does not let us call \(name)")
      } else {
        #expect(exitCode == 0, "\(program.output)")
      }
    }
  }
}
