internal import WickProfile

/// Finds the files that belong to a recorded module and reads its symbols from them.
///
/// A file is used only if its build-id is the recorded one, as what lies at the path may have been
/// replaced since; then the file that runs is taken from the process, as long as that lives. Symbols
/// and debug information come from the file itself and, where that is stripped, from what it keeps
/// of its symbols (`.gnu_debugdata`) and from its separate debug file: by build-id below the debug
/// folders, then by the name in `.gnu_debuglink`, then from the user's debuginfod servers.
struct ModuleFinder: Sendable {
  /// Put before each path, as in `/proc/PID/root`.
  var root: String
  /// Folders of separate debug files.
  var debugFolders: [String]
  /// Where indices are kept; nil: nowhere.
  var cache: SymbolCache?
  /// Servers that are asked for what is not on this machine; nil: nobody.
  var servers = Debuginfod.ofUser()
  /// The processes that ran the module, which may still do so.
  var processes: [LiveProcess] = []

  /// Reads the symbols of a module.
  ///
  /// - Parameters:
  ///   - module: As recorded.
  ///   - addresses: What will be looked up, ascending; nil for anything.
  /// - Returns: The symbols, or what is amiss.
  func symbols(of module: Module, for addresses: [UInt64]? = nil) -> ModuleSymbols {
    if let index = cache?.index(of: module.buildID) {
      var symbols = ModuleSymbols(index, problems: [])
      symbols.facts = ["from the cache"]
      return symbols
    }
    var facts: [String] = []
    var problems: [ModuleSymbols.Problem] = []
    var file: DebugFile?
    var image: ElfImage?
    do throws(ElfImage.Failure) {
      if module.path == "[vdso]" {
        image = try VdsoImage.read(buildID: module.buildID)
        facts.append("symbols from memory")
      } else if let found = try open(root + module.path) {
        image = try ElfImage(found.bytes, buildID: module.buildID)
        file = found
        facts.append("symbols from \(found.path)")
      }
      if image == nil { problems.append(.missing) }
    } catch {
      switch error {
      case .unreadable: problems.append(.unreadable)
      case .buildIDDiffers(let found): problems.append(.otherBuild(found: found))
      }
    }
    if image == nil, let live = liveFile(of: module) {
      (file, image) = live
      problems = []
      facts.append("symbols from \(live.file.path), as that is what runs")
    }
    if image?.hasSymbolTable == false, let file, let mini = Self.miniDebugInformation(of: file) {
      image?.merge(mini)
      facts.append("and from its .gnu_debugdata")
    }
    let isWhole = image?.hasSymbolTable == true && file?.hasDebugInformation == true
    if !isWhole, !module.buildID.isEmpty || image?.debugLink != nil,
      let debug = debugFile(of: module, link: image?.debugLink, &facts)
    {
      if image == nil { image = debug.image } else { image?.merge(debug.image) }
      if file?.hasDebugInformation != true { file = debug.file }
      facts.append("and from \(debug.file.path)")
      // Nothing is amiss if only the stripped file is gone.
      problems.removeAll { $0 == .missing }
    }
    if let servers, !module.buildID.isEmpty, module.path != "[vdso]" {
      if image == nil, let found = fetch(.executable, of: module, from: servers, &problems) {
        (file, image) = found
        facts.append("symbols from \(found.file.path), from a server")
        problems.removeAll { $0 == .missing }
      }
      if file?.hasDebugInformation != true,
        let found = fetch(.debugInformation, of: module, from: servers, &problems)
      {
        if image == nil { image = found.image } else { image?.merge(found.image) }
        if found.file.hasDebugInformation { file = found.file }
        facts.append("and from \(found.file.path), from a server")
        problems.removeAll { $0 == .missing }
      }
    }
    guard let image else { return ModuleSymbols(SourceIndex(), problems: problems) }
    if module.buildID.isEmpty { problems.append(.noBuildID) }
    if !image.hasSymbolTable, file?.hasDebugInformation != true, module.path != "[vdso]" {
      problems.append(.stripped)
    }
    let indexer = ModuleIndexer(root: root, debugFolders: debugFolders)
    let outcome = indexer.index(of: image, file: file, for: addresses)
    if let damaged = file?.damagedSections, !damaged.isEmpty {
      problems.append(.damagedSections(names: damaged))
    }
    // What is incomplete may be complete the next time.
    if outcome.isComplete, outcome.index.hasLines, problems.isEmpty, outcome.problems.isEmpty {
      cache?.keep(outcome.index, of: module.buildID)
    }
    if let file, file.hasDebugInformation {
      facts.append(
        "debug information of \(file.path) with \(outcome.unitCount) "
          + "\(outcome.unitCount == 1 ? "unit" : "units"), \(outcome.index.nodeCount) functions "
          + "and inlined calls, \(outcome.index.rowCount) rows of lines")
    } else {
      facts.append("no debug information found")
    }
    var symbols = ModuleSymbols(
      outcome.index, for: outcome.isComplete ? nil : addresses,
      problems: problems + outcome.problems)
    symbols.facts = facts
    return symbols
  }

  /// A file as if it had been recorded as it is now; nil if it is not there.
  ///
  /// - Parameter path: The file.
  /// - Returns: A module.
  /// - Throws: `ElfImage.Failure.unreadable`.
  func module(path: String) throws(ElfImage.Failure) -> Module? {
    guard let file = try open(root + path) else { return nil }
    let elf = try ElfFile.open(file.bytes)
    return Module(path: path, buildID: elf.buildID(file.bytes), loadBias: 0, extent: 0..<0)
  }

  /// A file from a server, if it is of the module's build.
  private func fetch(
    _ wanted: Debuginfod.Wanted, of module: Module, from servers: Debuginfod,
    _ problems: inout [ModuleSymbols.Problem]
  ) -> (file: DebugFile, image: ElfImage)? {
    switch servers.find(wanted, buildID: module.buildID) {
    case .none: return nil
    case .failed(let reason):
      if !problems.contains(.withoutServers(reason: reason)) {
        problems.append(.withoutServers(reason: reason))
      }
      return nil
    case .path(let path):
      guard let file = DebugFile.open(path),
        let image = try? ElfImage(file.bytes, buildID: module.buildID)
      else {
        problems.append(.withoutServers(reason: "\(path) is not of this build"))
        return nil
      }
      return (file, image)
    }
  }

  /// The file that ran, from a process that has it mapped.
  private func liveFile(of module: Module) -> (file: DebugFile, image: ElfImage)? {
    // Without a build-id nothing tells the file from another.
    guard !module.buildID.isEmpty, module.path.hasPrefix("/") else { return nil }
    for path in processes.flatMap({ $0.candidates(for: module.path) }) {
      if let file = DebugFile.open(path),
        let image = try? ElfImage(file.bytes, buildID: module.buildID)
      {
        return (file, image)
      }
    }
    return nil
  }

  /// The symbols of a stripped file that distributions leave in it (`.gnu_debugdata`).
  private static func miniDebugInformation(of file: DebugFile) -> ElfImage? {
    let section = file.section(".gnu_debugdata")
    guard section.byteCount > 0, let bytes = Decompression.xz(section) else { return nil }
    return unsafe try? ElfImage(bytes.span.bytes, buildID: nil)
  }

  /// The separate debug file, and in words which files were looked at in vain.
  private func debugFile(
    of module: Module, link: ElfImage.DebugLink?, _ facts: inout [String]
  ) -> (file: DebugFile, image: ElfImage)? {
    var candidates: [(path: String, crc32: UInt32?)] = []
    if module.buildID.count > 1 {
      let hex = Hex.string(module.buildID)
      for folder in debugFolders {
        candidates.append(("\(folder)/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug", nil))
      }
    }
    if let link {
      let folder = module.path.prefix(module.path.utf8.count - module.name.utf8.count)
      // With a build-id the checksum adds nothing.
      let crc32 = module.buildID.isEmpty ? link.crc32 : nil
      candidates.append(("\(folder)\(link.name)", crc32))
      candidates.append(("\(folder).debug/\(link.name)", crc32))
      for debugFolder in debugFolders {
        candidates.append(("\(debugFolder)\(folder)\(link.name)", crc32))
        candidates.append(("\(debugFolder)/\(link.name)", crc32))
      }
    }
    for (path, crc32) in candidates {
      do throws(ElfImage.Failure) {
        guard let file = try open(root + path) else { continue }
        if let crc32, CRC32.checksum(of: file.bytes) != crc32 {
          facts.append("not from \(root)\(path), as its checksum differs")
          continue
        }
        let image = try ElfImage(file.bytes, buildID: module.buildID)
        if image.hasSymbolTable || file.hasDebugInformation { return (file, image) }
      } catch {
        switch error {
        case .unreadable: facts.append("not from \(root)\(path), which cannot be read")
        case .buildIDDiffers: facts.append("not from \(root)\(path), as it is of another build")
        }
      }
    }
    return nil
  }

  /// Maps a file; nil if it is not there.
  private func open(_ path: String) throws(ElfImage.Failure) -> DebugFile? {
    DebugFile.isRegular(path) ? try DebugFile(path: path) : nil
  }
}
