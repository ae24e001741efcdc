import Glibc
import Testing

@testable import WickTarget

/// What is said where tracing is forbidden, for machines as they may be.
@Suite struct TraceRefusalTests {
  private func reason(_ code: Int32, user: UInt32, scope: String?) throws -> String {
    let process = try TargetProcess(pid: getpid())
    return process.reasonForRefusal(code, to: user, scope: scope)
  }

  @Test(arguments: ["1\n", "2\n"]) func yamaIsNamedToUsers(scope: String) throws {
    let process = try TargetProcess(pid: getpid())
    // To its own user, but root.
    guard process.userID != 0 else {
      #expect(try reason(EPERM, user: 0, scope: scope).contains("CAP_SYS_PTRACE"))
      return
    }
    let reason = try reason(EPERM, user: process.userID, scope: scope)
    #expect(reason.contains("kernel.yama.ptrace_scope forbids it; use sudo"))
  }

  @Test func yamaThatForbidsAllIsNamedToRoot() throws {
    #expect(try reason(EPERM, user: 0, scope: "3\n").contains("only a reboot takes back"))
  }

  @Test func otherCausesAreNamed() throws {
    #expect(try reason(EPERM, user: 0, scope: "0\n").contains("container lacks CAP_SYS_PTRACE"))
    #expect(try reason(EACCES, user: 4711, scope: nil).contains("and you are 4711; use sudo"))
    for code in [ESRCH, ENOENT] {
      #expect(try reason(code, user: 0, scope: nil).hasSuffix(" has ended"))
    }
  }
}
