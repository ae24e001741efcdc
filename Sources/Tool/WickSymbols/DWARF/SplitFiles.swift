/// Finds and reads the units that compilers put into files of their own (`-gsplit-dwarf`).
struct SplitFiles: ~Copyable {
  /// Folders to try for a split file, besides what its skeleton says.
  private let folders: [String]
  /// Names of split files that were not there or had another unit.
  private(set) var missing: [String] = []

  init(folders: [String]) { self.folders = folders }

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
  }
}
