/// Makes the index of a module of its files.
struct ModuleIndexer {
  /// Put before each path that a file names.
  var root: String
  /// Folders of separate debug files.
  var debugFolders: [String]

  /// An index, and what is amiss with it.
  struct Outcome {
    var index: SourceIndex
    /// Whether it has the whole module, and not only what was asked for.
    var isComplete = true
    /// Units of debug information that could be read.
    var unitCount = 0
    var problems: [ModuleSymbols.Problem] = []
  }

  /// Reads symbols and debug information.
  ///
  /// - Parameters:
  ///   - image: Symbols and code.
  ///   - file: The file with the debug information; nil if there is none.
  ///   - addresses: What will be looked up, ascending; nil for anything.
  /// - Returns: The index.
  func index(of image: ElfImage, file: DebugFile?, for addresses: [UInt64]?) -> Outcome {
    let table = SymbolTable(
      image.symbols, names: image.names, code: image.code, functions: image.functions)
    guard let file, file.hasDebugInformation else {
      var builder = SourceIndexBuilder(code: image.code, byteCount: 0)
      return Outcome(index: builder.build(symbols: table, functions: image.functions))
    }
    var problems: [ModuleSymbols.Problem] = []
    var shared: DebugFile?
    if let link = SharedDebugFile.link(in: file) {
      shared = SharedDebugFile.find(link, of: file, root: root, debugFolders: debugFolders)
      if shared == nil { problems.append(.withoutSharedFile(name: link.name)) }
    }
    var builder = SourceIndexBuilder(
      code: image.code, byteCount: file.dwarf.byteCount + (shared?.dwarf.byteCount ?? 0))
    var splitFiles = SplitFiles(for: file.path, root: root, debugFolders: debugFolders)
    let (isComplete, unitCount) =
      if let shared {
        Self.add(
          file.dwarf, supplement: shared.dwarf, for: addresses, splitFiles: &splitFiles,
          to: &builder)
      } else {
        Self.add(
          file.dwarf, supplement: DwarfSections(), for: addresses, splitFiles: &splitFiles,
          to: &builder)
      }
    if splitFiles.missingCount > 0 {
      problems.append(.withoutSplitUnits(count: splitFiles.missingCount))
    }
    return Outcome(
      index: builder.build(symbols: table, functions: image.functions), isComplete: isComplete,
      unitCount: unitCount, problems: problems)
  }

  private static func add(
    _ sections: DwarfSections, supplement: DwarfSections, for addresses: [UInt64]?,
    splitFiles: inout SplitFiles, to builder: inout SourceIndexBuilder
  ) -> (isComplete: Bool, unitCount: Int) {
    var information = DebugInformation(sections, supplement: supplement)
    let isComplete = information.add(for: addresses, splitFiles: &splitFiles, to: &builder)
    return (isComplete, information.unitCount)
  }
}
