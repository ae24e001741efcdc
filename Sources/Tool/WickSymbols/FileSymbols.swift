internal import WickProfile

/// The symbols and the debug information of one program or library, for lookups by address.
///
/// Addresses are those of the file (ELF virtual addresses), as `addr2line` and `objdump` use them.
public struct FileSymbols: Sendable {
  /// Why a file cannot be used.
  public enum Failure: Error, Equatable {
    /// There is no such file, or it may not be read, or it is no regular file.
    case missing
    /// Not a 64-bit little-endian ELF program or library.
    case unreadable
  }

  /// A function, and where in it.
  public struct Location: Hashable, Sendable {
    /// The function's name; nil where it is not known.
    public var function: String?
    /// Source file of the instruction or the inlined call.
    public var file: String?
    /// Line in `file`, from 1; 0 where it is not known.
    public var line: UInt32
  }

  private var symbols: ModuleSymbols
  private var texts = SymbolTexts()
  private let path: String

  /// Reads a file and what belongs to it.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - addresses: All that will be looked up, in any order; nil if that is not known yet.
  ///   - debugFolders: Where separate debug files are searched.
  ///   - areNamesRaw: Whether functions have the names that are in the file, not those for people.
  ///   - cache: Where to keep what was read; nil: nowhere.
  /// - Throws: `Failure`.
  public init(
    path: String, addresses: [UInt64]? = nil, debugFolders: [String] = ["/usr/lib/debug"],
    areNamesRaw: Bool = false, cache: SymbolCache? = nil
  ) throws(Failure) {
    let finder = ModuleFinder(root: "", debugFolders: debugFolders, cache: cache)
    let module: Module?
    do {
      module = try finder.module(path: path)
    } catch {
      throw .unreadable
    }
    guard let module else { throw .missing }
    symbols = finder.symbols(of: module, for: addresses?.sorted())
    symbols.areNamesRaw = areNamesRaw
    self.path = path
  }

  /// Where all comes from and what is amiss, a sentence each.
  public var explanations: [String] {
    let count = NameCount()
    return [symbols.facts.joined(separator: "; ")]
      + symbols.problems.compactMap { count.warning(about: $0, path: path, buildID: []) }
  }

  /// The functions at an address, the innermost inlined call first.
  ///
  /// - Parameter address: Of an instruction.
  /// - Returns: At least one location, all of whose facts may be missing.
  public mutating func locations(at address: UInt64) -> [Location] {
    if case .functions(let chain) = symbols.coverage(at: address) {
      return chain.reversed().map {
        Location(function: $0.function, file: $0.file, line: $0.line)
      }
    }
    let line = symbols.line(at: address)
    return [Location(function: nil, file: line.file, line: line.line)]
  }

  /// Appends what `addr2line -f -i` prints for an address: for each function, the innermost first,
  /// a line with its name and one with file and line; and an empty line behind all.
  ///
  /// - Parameters:
  ///   - address: Of an instruction.
  ///   - output: Where to append.
  public mutating func appendText(at address: UInt64, to output: inout [UInt8]) {
    texts.append(address, of: symbols, to: &output)
  }
}
