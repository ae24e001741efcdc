/// One verb of the command line.
///
/// Help, checks and parsing all come from its tables.
protocol Subcommand: Sendable {
  /// The verb.
  static var name: String { get }
  /// One line for the overview.
  static var summary: String { get }
  /// What follows the verb, as help shows it.
  static var synopsis: String { get }
  /// A paragraph for the help page.
  static var discussion: String { get }
  /// A command line to copy.
  static var example: String { get }
  static var options: [Option] { get }
  /// The most words that may follow the options; nil: a command with its own arguments, which ends
  /// the options.
  static var wordLimit: Int? { get }
  /// Does it. Returns the exit code.
  static func run(_ arguments: Arguments) throws -> Int32
}

extension Subcommand {
  /// Whether the words are a command to launch.
  static var takesCommand: Bool { wordLimit == nil }
}

/// An option as parser and help know it.
struct Option: Sendable {
  /// With two dashes.
  var name: String
  /// One letter, without its dash.
  var letter: Character?
  /// Name of its value in help; nil for a switch.
  var value: String?
  /// One line for help.
  var help: String
  var isRepeatable = false
  /// Whether it may stand without a value, which then is attached only: `--name` or `--name=value`.
  var isValueOptional = false
  /// A name that it had, which is understood still.
  var formerName: String?
}
