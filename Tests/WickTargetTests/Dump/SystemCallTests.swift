import Testing

@testable import WickTarget

@Suite struct SystemCallTests {
  /// Numbers of x86-64 from syscall(2)'s header.
  @Test(arguments: [
    (0, "read"), (23, "select"), (35, "nanosleep"), (58, "vfork"), (61, "wait4"), (202, "futex"),
    (232, "epoll_wait"), (281, "epoll_pwait"), (334, "rseq"), (424, "pidfd_send_signal"),
    (449, "futex_waitv"), (400, "system call 400"), (9999, "system call 9999"),
  ])
  func nameIsThatOfTheKernel(number: Int, name: String) {
    #expect(SystemCall(number: number).name == name)
  }

  @Test func callsThatMustNotBeMadeAgainAreKnown() {
    #expect(SystemCall(number: 3).isClosing)
    #expect(!SystemCall(number: 232).isClosing)
  }

  @Test func transfersAreKnown() {
    #expect(SystemCall(number: 1).isTransfer(arguments: []))
    #expect(!SystemCall(number: 0).isTransfer(arguments: []))
    // MSG_WAITALL makes recvfrom one.
    #expect(SystemCall(number: 45).isTransfer(arguments: [3, 0, 9, 0x100, 0, 0]))
    #expect(!SystemCall(number: 45).isTransfer(arguments: [3, 0, 9, 0, 0, 0]))
  }
}
