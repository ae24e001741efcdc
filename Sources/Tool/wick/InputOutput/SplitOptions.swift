import WickProfile

/// Options that begin stacks with what they belong to: what the subcommands have in common that draw
/// or write trees.
enum SplitOptions {
  static let options = [
    Option(name: "--processes", help: "Begins each stack with its process."),
    Option(name: "--threads", help: "Begins each stack with its thread."),
  ]

  /// As the options say.
  static func roots(_ arguments: Arguments) -> StackRoots {
    var roots: StackRoots = []
    if arguments.has("--processes") { roots.insert(.process) }
    if arguments.has("--threads") { roots.insert(.thread) }
    return roots
  }
}
