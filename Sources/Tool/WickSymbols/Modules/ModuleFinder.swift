internal import Glibc
internal import WickProfile
internal import WickRecording

/// Finds the files that belong to a recorded module and reads its symbols from them.
///
/// A file is used only if its build-id is the recorded one, as what lies at the path may have been
/// replaced since. Symbols come from the file itself and, where that is stripped, from its separate
/// debug file: by build-id below the debug folders, then by the name in `.gnu_debuglink`.
struct ModuleFinder: Sendable {
  /// Put before each path, as in `/proc/PID/root`.
  var root: String
  /// Folders of separate debug files.
  var debugFolders: [String]

  /// Reads the symbols of a module.
  func symbols(of module: Module) -> ModuleSymbols {
    var problems: [ModuleSymbols.Problem] = []
    var image = mainImage(of: module, problems: &problems)
    if image?.hasSymbolTable != true, !module.buildID.isEmpty || image?.debugLink != nil,
      let debug = debugImage(of: module, link: image?.debugLink)
    {
      if image == nil { image = debug } else { image?.merge(debug) }
      // Nothing is amiss if only the stripped file is gone.
      problems.removeAll { $0 == .missing }
    }
    guard let image else { return ModuleSymbols(problems: problems) }
    if module.buildID.isEmpty { problems.append(.noBuildID) }
    if !image.hasSymbolTable && module.path != "[vdso]" { problems.append(.stripped) }
    let table = SymbolTable(
      image.symbols, names: image.names, code: image.code, functions: image.functions)
    return ModuleSymbols(table: table, functions: image.functions, problems: problems)
  }

  private func mainImage(
    of module: Module, problems: inout [ModuleSymbols.Problem]
  ) -> ElfImage? {
    do throws(ElfImage.Failure) {
      if module.path == "[vdso]" {
        if let image = try VdsoImage.read(buildID: module.buildID) { return image }
      } else if let image = try read(root + module.path, buildID: module.buildID) {
        return image
      }
      problems.append(.missing)
    } catch {
      switch error {
      case .unreadable: problems.append(.unreadable)
      case .buildIDDiffers(let found): problems.append(.otherBuild(found: found))
      }
    }
    return nil
  }

  private func debugImage(of module: Module, link: ElfImage.DebugLink?) -> ElfImage? {
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
      candidates += debugFolders.map { ("\($0)\(folder)\(link.name)", crc32) }
    }
    for (path, crc32) in candidates {
      let image = try? read(root + path, buildID: module.buildID, crc32: crc32)
      if let image, image.hasSymbolTable { return image }
    }
    return nil
  }

  /// Reads a file; nil if it is not there.
  private func read(
    _ path: String, buildID: [UInt8], crc32: UInt32? = nil
  ) throws(ElfImage.Failure) -> ElfImage? {
    // Opening a pipe or a device could block or do harm.
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      let file = try? MappedFile(path: path)
    else { return nil }
    if let crc32, CRC32.checksum(of: file.bytes) != crc32 { return nil }
    return try ElfImage(file.bytes, buildID: buildID)
  }
}
