import WickProfile
import WickSymbols

/// How addresses get names: what the subcommands have in common that read recordings.
struct Naming {
  static let options = [
    Option(name: "--raw-names", help: "Shows names as they are in the files, and all thunks."),
    Option(
      name: "--debug-dir", value: "DIR",
      help: "Where separate debug files are, too. May be repeated.", isRepeatable: true),
    Option(name: "--addresses", help: "Leaves addresses as they are, without names."),
    verbose,
  ]

  /// Says where names come from.
  static let verbose = Option(
    name: "--verbose", letter: "v", help: "Says of each file what was read, and what is missing.")

  /// Whether addresses get names at all.
  var isWanted = true
  /// Whether names are those of the files.
  var isRaw = false
  /// Whether it is said where names come from.
  var isVerbose = false
  /// Where separate debug files are, besides the system's folder.
  var debugFolders: [String] = []

  /// As is usual.
  init(isWanted: Bool = true) { self.isWanted = isWanted }

  /// As the options say.
  init(_ arguments: Arguments) {
    isWanted = !arguments.has("--addresses")
    isRaw = arguments.has("--raw-names")
    isVerbose = arguments.has("--verbose")
    debugFolders = arguments.folders("--debug-dir")
  }

  /// What gives names to profiles.
  var symbolicator: Symbolicator { symbolicator(root: "") }

  /// What gives names to profiles.
  ///
  /// - Parameter root: Put before the path of each file.
  /// - Returns: It, as the options say.
  func symbolicator(root: String) -> Symbolicator {
    var symbolicator = Symbolicator(
      root: root, debugFolders: debugFolders + ["/usr/lib/debug"], cache: .ofUser())
    symbolicator.areNamesRaw = isRaw
    if isVerbose { symbolicator.explain = { Console.error($0) } }
    return symbolicator
  }
}
