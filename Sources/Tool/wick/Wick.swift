import CWickFormat
import Glibc
import WickTarget

/// The `wick` command: finds the subcommand and turns what it throws into one line and a code.
@main
enum Wick {
  static let subcommands: [any Subcommand.Type] = [
    Record.self, Attach.self, Stop.self, Switch.self, Status.self, ListCommand.self, Report.self,
    Annotate.self, FlameGraphCommand.self, Diff.self, FoldedCommand.self, Dump.self,
    Symbolize.self, CacheCommand.self, Doctor.self,
  ]

  static func main() {
    // A reader that went away is no error of ours: write reports EPIPE instead of a signal.
    signal(SIGPIPE, SIG_IGN)
    // The Swift runtime takes it for a crash.
    signal(SIGQUIT, SIG_DFL)
    Truncation.handle()
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  private static func run(_ words: [String]) -> Int32 {
    do {
      return try dispatch(words)
    } catch let failure as Failure {
      if let line = failure.line { Console.error(line) }
      return failure.exitCode
    } catch let error as TargetError {
      Console.error(error.reason)
      return Failure.Code.noTarget
    } catch {
      Console.error("\(error)")
      return Failure.Code.failed
    }
  }

  private static func dispatch(_ words: [String]) throws -> Int32 {
    guard let first = words.first else {
      try Console.print(Help.overview)
      return Failure.Code.usage
    }
    switch first {
    case "--version", "-V", "version":
      try Console.print("wick \(WICK_VERSION)\n")
      return 0
    case "--help", "-h":
      try Console.print(Help.overview)
      return 0
    case "help":
      guard words.count > 1, !["help", "--help", "-h"].contains(words[1]) else {
        try Console.print(Help.overview)
        return 0
      }
      try Console.print(Help.page(of: try subcommand(named: words[1])))
      return 0
    default:
      let found = try subcommand(named: first)
      let arguments = try Arguments(Array(words.dropFirst()), for: found)
      guard !arguments.wantsHelp else {
        try Console.print(Help.page(of: found))
        return 0
      }
      return try found.run(arguments)
    }
  }

  private static func subcommand(named name: String) throws -> any Subcommand.Type {
    if let found = subcommands.first(where: { $0.name == name }) { return found }
    let hint = Help.nearest(to: name, in: subcommands.map { $0.name })
    throw Failure.usage(
      "there is no subcommand '\(name)'\(hint.map { "; did you mean '\($0)'?" } ?? "")", see: nil)
  }
}
