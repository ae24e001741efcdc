/// What is known about the code of one module.
///
/// Lookups give a chain of functions, root first: one function until inlined calls are read too.
struct ModuleSymbols: Sendable {
  /// Why names of a module may be missing or wrong.
  enum Problem: Hashable {
    case missing, unreadable, stripped, noBuildID
    case otherBuild(found: [UInt8])
  }

  /// A function at an address, with the source of the instruction or the inlined call in it.
  struct Location: Hashable {
    var function: String
    var file: String?
    var line: UInt32 = 0
  }

  /// What covers an address.
  enum Coverage {
    /// Named functions, the outermost first; never empty.
    case functions([Location])
    /// A function without a name that begins at an address.
    case unnamed(start: UInt64)
    case nothing
  }

  private let table: SymbolTable
  private let functions: AddressRanges
  /// In the order in which they were met.
  let problems: [Problem]
  private var cache: [UInt64: Coverage] = [:]
  /// Chains by the start of the range they are for: demangling costs more than the lookup.
  private var named: [UInt64: [Location]] = [:]

  /// A module whose files are there.
  init(table: SymbolTable, functions: AddressRanges, problems: [Problem]) {
    self.table = table
    self.functions = functions
    self.problems = problems
  }

  /// A module of which nothing is known.
  init(problems: [Problem]) {
    let nothing = AddressRanges([])
    table = SymbolTable([], names: SymbolNames(), code: nothing, functions: nothing)
    functions = nothing
    self.problems = problems
  }

  /// Looks up a module-relative address.
  mutating func coverage(at address: UInt64) -> Coverage {
    if let known = cache[address] { return known }
    let found: Coverage
    if let symbol = table.entry(at: address) {
      let start = symbol.range.lowerBound
      let chain = named[start] ?? [Location(function: Demangler.name(of: table.name(symbol)))]
      named[start] = chain
      found = .functions(chain)
    } else if let function = functions.range(at: address) {
      found = .unnamed(start: function.lowerBound)
    } else {
      found = .nothing
    }
    cache[address] = found
    return found
  }
}
