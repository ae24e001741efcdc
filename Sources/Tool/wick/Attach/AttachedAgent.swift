import Glibc
import WickTarget

/// An agent in a running process: the one that is there, or one that is brought there now.
enum AttachedAgent {
  /// How long to wait usually for a thread that can be entered.
  static let patience = Duration.seconds(5)

  /// Connects to the agent of a process.
  ///
  /// - Parameters:
  ///   - process: The process.
  ///   - isFilterAccepted: Whether a filter of system calls is no reason to refuse.
  ///   - mayStep: Whether a thread that never waits may be stepped to where it can be entered.
  ///   - limit: How long to wait for a thread that can be entered.
  /// - Returns: A connection to its agent.
  /// - Throws: `TargetError` or `Failure` with the reason why there is none.
  static func connect(
    to process: TargetProcess, isFilterAccepted: Bool, mayStep: Bool = false,
    limit: Duration = patience
  ) throws -> ControlConnection {
    guard process.pid != getpid() else {
      throw Failure.noTarget("process \(process.pid) is this wick itself; name another one")
    }
    // Nothing would answer in a process that is stopped; the injection says so.
    if !process.isStopped, let connection = existing(in: process) { return connection }
    if Injection.isFiltered(process), !isFilterAccepted {
      throw Failure.noTarget(
        "process \(process.pid) (\(process.name)) has a seccomp filter, which may kill it for a "
          + "system call that it does not know; --allow-seccomp attaches all the same (a container's "
          + "usual filter only refuses), --perf samples from outside")
    }
    let lock = InjectionLock(process, limit: limit)
    return try withExtendedLifetime(lock) {
      // Another wick may have been faster.
      if let connection = existing(in: process) { return connection }
      // A child of a command that 'record' follows has the other library.
      let others = (try? AgentLibrary.find(.interposing)).map { [$0] } ?? []
      var injection = try Injection(process, library: AgentLibrary.find(), others: others)
      let outcome = try injection.run(limit: limit, mayStep: mayStep)
      return ControlConnection(taking: outcome.connection)
    }
  }

  /// A connection to an agent that answers: one whose descriptors the program has closed does not,
  /// and is brought to life again by the injection.
  private static func existing(in process: TargetProcess) -> ControlConnection? {
    guard let connection = ControlConnection.open(to: process) else { return nil }
    do throws(ControlConnection.Refusal) {
      _ = try connection.ask("status")
    } catch {
      guard error.code != "silent" else { return nil }
    }
    return ControlConnection.open(to: process)
  }
}
