import Glibc
import WickRender
import WickSymbols

/// `wick symbolize`: functions and lines of addresses.
enum Symbolize: Subcommand {
  static let name = "symbolize"
  static let summary = "Says which function and line addresses of a file belong to."
  static let synopsis = "[OPTIONS] -e FILE [ADDRESS…]"
  static let wordLimit: Int? = .max
  static let example = "wick symbolize -e ./server 0x1a2b0"
  static let discussion = """
    ADDRESSes are hexadecimal and those of the file, as nm and objdump print them; without any they
    are read from standard input, one a line. Each gives its inlined calls, the innermost first, and
    the function around them: a line with the name, a line with file and line number; then an empty
    line. What is not known is '??', a line that is not known 0.
    """
  static let options = [
    Option(name: "--executable", letter: "e", value: "FILE", help: "The program or library."),
    Option(name: "--json", help: "Writes JSON, one object a line for each address."),
    Option(name: "--raw-names", help: "Shows names as they are in the file."),
    Option(name: "--no-cache", help: "Reads all anew, and keeps nothing."),
    Option(
      name: "--debug-dir", value: "DIR",
      help: "Where separate debug files are, too. May be repeated.", isRepeatable: true),
    Naming.verbose,
  ]

  static func run(_ arguments: Arguments) throws -> Int32 {
    guard let path = arguments.value("--executable") else {
      throw arguments.usage("name a file, as in 'wick symbolize -e ./server 0x1a2b0'")
    }
    let addresses = try arguments.words.map { word in
      guard let address = Hexadecimal.address(Array(word.utf8).span) else {
        throw arguments.usage("'\(word)' is no hexadecimal address")
      }
      return address
    }
    let symbols = try read(path, addresses: addresses, arguments)
    if arguments.has("--verbose") {
      for explanation in symbols.explanations { Console.error(explanation) }
    }
    var output = SymbolOutput(symbols, isJSON: arguments.has("--json"))
    guard addresses.isEmpty else {
      for address in addresses { output.add(address) }
      try output.finish()
      return 0
    }
    try Lines.read { line in
      guard let address = Hexadecimal.address(line) else {
        try output.finish()
        let start = line.extracting(0..<min(line.count, 40)).indices.map { line[$0] }
        throw Failure.failed(
          "standard input: '\(String(decoding: start, as: UTF8.self))' is no hexadecimal address")
      }
      output.add(address)
    } pause: {
      output.flush()
    }
    try output.finish()
    return 0
  }

  private static func read(
    _ path: String, addresses: [UInt64], _ arguments: Arguments
  ) throws -> FileSymbols {
    do {
      return try FileSymbols(
        path: path, addresses: addresses.isEmpty ? nil : addresses,
        debugFolders: arguments.folders("--debug-dir") + ["/usr/lib/debug"],
        areNamesRaw: arguments.has("--raw-names"),
        cache: arguments.has("--no-cache") ? nil : .ofUser())
    } catch .missing {
      throw Failure.noTarget("cannot read \(path): \(reason(path))")
    } catch .unreadable {
      guard unsafe access(path, R_OK) == 0 else {
        throw Failure.noTarget("cannot read \(path): \(Failure.reason(errno))")
      }
      throw Failure.noTarget("\(path) is not a 64-bit ELF program or library")
    }
  }

  private static func reason(_ path: String) -> String {
    unsafe access(path, R_OK) == 0 ? "it is not a regular file" : Failure.reason(errno)
  }
}
