/// How many addresses of a module were looked up, and how many of them have no name.
struct NameCount {
  private var total = 0
  private var unnamed = 0

  /// Counts a lookup.
  mutating func count(_ coverage: ModuleSymbols.Coverage) {
    total += 1
    if case .functions = coverage { return }
    unnamed += 1
  }

  /// The sentence to the user about a problem; nil where it had no effect.
  ///
  /// - Parameters:
  ///   - problem: What was found.
  ///   - path: The module's path.
  ///   - buildID: The recorded build-id.
  /// - Returns: One sentence.
  func warning(
    about problem: ModuleSymbols.Problem, path: String, buildID: [UInt8]
  ) -> String? {
    switch problem {
    case .missing: "\(path): not found; \(loss)."
    case .unreadable: "\(path): not a 64-bit ELF file that can be read; \(loss)."
    case .otherBuild(let found):
      "\(path): another build (build-id \(described(found)), recorded \(described(buildID))),"
        + " so it was not used; \(loss)."
    case .noBuildID:
      "\(path): no build-id, so nothing tells whether the file is the one that ran."
    case .stripped where unnamed > 0: "\(path): stripped, only exported names; \(loss)."
    case .stripped: nil
    case .damagedSections(let names):
      "\(path): \(names.joined(separator: ", ")) cannot be decompressed, so source lines are missing."
    case .withoutSharedFile(let name):
      "\(path): its debug information refers to \(name), which was not found, so names may be missing."
    case .withoutServers(let reason): "\(path): nothing from DEBUGINFOD_URLS: \(reason)."
    case .withoutSplitUnits(let count):
      "\(path): \(count) of its .dwo files were not found, so inlined functions are missing."
    }
  }

  /// What became of all lookups, in words.
  var summary: String { unnamed == 0 ? "\(total) addresses have functions" : loss }

  private var loss: String { "\(unnamed) of its \(total) addresses have no function name" }

  private func described(_ buildID: [UInt8]) -> String {
    buildID.isEmpty ? "none" : Hex.string(buildID)
  }
}
