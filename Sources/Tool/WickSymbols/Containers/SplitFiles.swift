/// Finds and reads the units that compilers put into files of their own (`-gsplit-dwarf`): a `.dwo`
/// file each, or one `.dwp` package beside the program.
struct SplitFiles {
  /// The file with the code or its debug information; its folder and its package are tried.
  private let path: String
  /// Put before each path.
  private let root: String
  private let debugFolders: [String]
  private let package: SplitPackage?
  /// The file that was read last: several units may share one.
  private var last: DebugFile?
  /// How many units were not found.
  private(set) var missingCount = 0

  /// Looks for a package.
  ///
  /// - Parameters:
  ///   - path: The file with the skeletons, with `root` in front.
  ///   - root: Put before the paths that skeletons name.
  ///   - debugFolders: Where debug files are searched.
  init(for path: String, root: String = "", debugFolders: [String] = []) {
    self.path = path
    self.root = root
    self.debugFolders = debugFolders
    var candidates = ["\(path).dwp"]
    if path.hasSuffix(".debug") { candidates.append("\(path.dropLast(6)).dwp") }
    let name = path.split(separator: "/").last ?? ""
    candidates += debugFolders.map { "\(root)\($0)/\(name).dwp" }
    package = candidates.lazy.compactMap { DebugFile.open($0) }.first.map { SplitPackage($0) }
  }

  /// Adds the functions of the unit that a skeleton stands for.
  ///
  /// - Parameters:
  ///   - skeleton: The unit in the file with the code.
  ///   - reader: Of that file.
  ///   - files: The skeleton's files.
  ///   - index: Gets the functions.
  mutating func add(
    _ skeleton: DwarfUnit, of reader: borrowing DwarfReader, files: inout LineTable?,
    to index: inout SourceIndexBuilder
  ) {
    guard let id = skeleton.splitID else { return }
    if let package, let parts = package.parts(of: id) {
      let sections = package.file.splitDwarf(with: reader.sections, parts: parts)
      if Self.add(skeleton, of: reader, sections, files: &files, to: &index) { return }
    }
    for candidate in candidates(for: skeleton, of: reader) {
      if last?.path != candidate { last = DebugFile.open(candidate) }
      guard let file = last else { continue }
      let sections = file.splitDwarf(with: reader.sections, parts: nil)
      if Self.add(skeleton, of: reader, sections, files: &files, to: &index) { return }
    }
    missingCount += 1
  }

  private func candidates(
    for skeleton: DwarfUnit, of reader: borrowing DwarfReader
  ) -> [String] {
    let name = String(
      decoding: reader.text(skeleton.root.splitName, in: skeleton).array, as: UTF8.self)
    guard !name.isEmpty else { return [] }
    let folder = String(
      decoding: reader.text(skeleton.root.folder, in: skeleton).array, as: UTF8.self)
    let base = name.split(separator: "/").last ?? ""
    let beside = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var candidates = [name.hasPrefix("/") ? root + name : "\(root)\(folder)/\(name)"]
    if !name.hasPrefix("/") { candidates.append(beside + name) }
    candidates.append("\(beside)\(base)")
    candidates += debugFolders.map { "\(root)\($0)/\(base)" }
    return candidates
  }

  /// Adds a split unit; whether it was there.
  private static func add(
    _ skeleton: DwarfUnit, of reader: borrowing DwarfReader, _ sections: DwarfSections,
    files: inout LineTable?, to index: inout SourceIndexBuilder
  ) -> Bool {
    let splitReader = DwarfReader(sections)
    guard var unit = splitReader.units.first(where: { $0.splitID == skeleton.splitID }) else {
      return false
    }
    unit.isSplit = true
    unit.root.addressBase = skeleton.root.addressBase
    unit.root.gnuRangesBase = skeleton.root.gnuRangesBase
    unit.root.lowPC = DwarfValue()
    if let low = reader.address(skeleton.root.lowPC, in: skeleton) {
      unit.root.lowPC = DwarfValue(kind: .address, value: low)
    }
    var indexer = DwarfIndexer(splitReader, supplement: DwarfReader(DwarfSections()))
    indexer.addFunctions(of: unit, files: &files, index: &index)
    return true
  }
}

extension DebugFile {
  /// The sections with a split unit.
  ///
  /// - Parameters:
  ///   - main: Those of the file with the code, which has the addresses.
  ///   - parts: What of this file belongs to the unit; nil for all.
  /// - Returns: Sections as if the unit were in the main file.
  @_lifetime(borrow self, copy main)
  func splitDwarf(with main: DwarfSections, parts: SplitPackage.Parts?) -> DwarfSections {
    DwarfSections(
      info: part(".debug_info.dwo", parts?.info),
      abbreviations: part(".debug_abbrev.dwo", parts?.abbreviations),
      strings: section(".debug_str.dwo"), lineStrings: section(".debug_line_str.dwo"),
      stringOffsets: part(".debug_str_offsets.dwo", parts?.stringOffsets),
      addresses: main.addresses, ranges: main.ranges,
      rangeLists: part(".debug_rnglists.dwo", parts?.rangeLists), lines: main.lines)
  }

  @_lifetime(borrow self)
  private func part(_ name: String, _ place: SplitPackage.Place?) -> RawSpan {
    let whole = section(name)
    guard let place else { return whole }
    return whole.clamped(offset: UInt64(place.offset), byteCount: UInt64(place.byteCount))
  }
}
