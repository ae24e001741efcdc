import Glibc

/// Why the command ends, as one line for people and an exit code for scripts.
struct Failure: Error {
  /// Exit codes; `record` also ends with the code of its command.
  enum Code {
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    static let noTarget: Int32 = 3
    static let damaged: Int32 = 4
    /// 128 + SIGPIPE, as of a program that the signal ended.
    static let closedPipe: Int32 = 141
  }

  /// nil: nothing is said.
  var line: String?
  var exitCode: Int32

  static func failed(_ line: String) -> Failure { Failure(line: line, exitCode: Code.failed) }

  static func usage(_ problem: String, see subcommand: String?) -> Failure {
    let help = subcommand.map { "wick \($0) --help" } ?? "wick --help"
    return Failure(line: "\(problem) (see '\(help)')", exitCode: Code.usage)
  }

  static func noTarget(_ line: String) -> Failure { Failure(line: line, exitCode: Code.noTarget) }

  static func damaged(_ line: String) -> Failure { Failure(line: line, exitCode: Code.damaged) }

  /// What the system says of an `errno`.
  static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
