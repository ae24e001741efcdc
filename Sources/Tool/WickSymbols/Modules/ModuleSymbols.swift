/// What is known about the code of one module.
///
/// Lookups give a chain of functions, root first: a function, and the calls inlined into it.
struct ModuleSymbols: Sendable {
  /// Why names of a module may be missing or wrong.
  enum Problem: Hashable {
    case missing, unreadable, stripped, noBuildID
    case otherBuild(found: [UInt8])
    /// Sections that cannot be decompressed.
    case damagedSections(names: [String])
    /// The file is missing that `dwz` has put the common part of the debug information in.
    case withoutSharedFile(name: String)
    /// The debuginfod servers could not be asked, or gave something else.
    case withoutServers(reason: String)
    /// Files of split debug information are missing.
    case withoutSplitUnits(count: Int)
  }

  /// A function at an address, with the source of the instruction or the inlined call in it.
  struct Location: Hashable {
    var function: String
    var file: String?
    var line: UInt32 = 0
  }

  /// What covers an address.
  enum Coverage {
    /// Named functions, the outermost first, each inlined into the one before it; never empty.
    case functions([Location])
    /// A function without a name that begins at an address.
    case unnamed(start: UInt64)
    case nothing
  }

  let index: SourceIndex
  /// What the index was made for; nil if it has the whole module.
  private let addresses: Set<UInt64>?
  /// In the order in which they were met.
  let problems: [Problem]
  /// Where it all comes from, in words.
  var facts: [String] = []
  /// Whether names are shown as they are in the file.
  var areNamesRaw = false
  private var cache: [UInt64: Coverage] = [:]
  /// Demangling costs more than the lookup.
  private var names: [UInt32: String] = [:]
  private var files: [UInt32: String] = [:]

  /// A module whose files were read.
  ///
  /// - Parameters:
  ///   - index: What they say.
  ///   - addresses: What the index was made for; nil if it has the whole module.
  ///   - problems: What is amiss.
  init(_ index: SourceIndex, for addresses: [UInt64]? = nil, problems: [Problem]) {
    self.index = index
    self.addresses = addresses.map { Set($0) }
    self.problems = problems
  }

  /// Whether addresses can be looked up.
  func serves(_ wanted: [UInt64]) -> Bool {
    addresses.map { known in wanted.allSatisfy { known.contains($0) } } ?? true
  }

  /// Looks up a module-relative address.
  mutating func coverage(at address: UInt64) -> Coverage {
    if let known = cache[address] { return known }
    let found = find(address)
    cache[address] = found
    return found
  }

  /// The source line of an instruction, whatever function it is in.
  func line(at address: UInt64) -> (file: String?, line: UInt32) {
    let line = index.line(at: address)
    return line.file == TextPool.empty ? (nil, 0) : (index.string(line.file), line.line)
  }

  private mutating func find(_ address: UInt64) -> Coverage {
    guard let innermost = index.node(at: address) else { return .nothing }
    var node = index.node(innermost)
    guard node.kind != .unnamed else { return .unnamed(start: index.base &+ UInt64(node.start)) }
    let line = index.line(at: address)
    var chain = [location(of: node, file: line.file, line: line.line)]
    while node.caller != SourceIndexBuilder.noNode {
      let caller = index.node(node.caller)
      chain.append(location(of: caller, file: node.callFile, line: node.callLine))
      node = caller
    }
    return .functions(chain.reversed())
  }

  /// A function's name as it is shown.
  func name(_ number: UInt32) -> String {
    let symbol = index.string(number)
    return symbol.isEmpty ? "??" : areNamesRaw ? symbol : Demangler.name(of: symbol)
  }

  private mutating func location(of node: SourceNode, file: UInt32, line: UInt32) -> Location {
    let name: String
    if let known = names[node.name] {
      name = known
    } else {
      name = self.name(node.name)
      names[node.name] = name
    }
    guard file != TextPool.empty else { return Location(function: name) }
    let path: String
    if let known = files[file] {
      path = known
    } else {
      path = index.string(file)
      files[file] = path
    }
    return Location(function: name, file: path, line: line)
  }
}
