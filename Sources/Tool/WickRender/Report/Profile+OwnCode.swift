public import WickProfile

extension Profile {
  /// Returns this profile with each stack ended at its innermost line that people wrote, if allocations
  /// are what is counted; else as it is.
  ///
  /// An allocation is made by the allocator, called by a runtime, called by a library's container: its
  /// line is the one of the program that asked for it. A stack of no such line stays as it is.
  ///
  /// - Parameter column: What is counted.
  /// - Returns: The profile.
  public func endingInOwnCode(for column: Int) -> Profile {
    guard valueTypes[column].isOfMemory else { return self }
    return endingStacks(at: { frame in
      guard let file = frame.file, frame.line > 0, !Self.isOfSystem(file) else { return false }
      switch CodeOwner(function(of: frame)) {
      case .application, .library, .jit: return true
      default: return false
      }
    })
  }

  /// Whether a source is one of the system or of a compiler: templates and generic code that are
  /// compiled into programs, or are nobody's.
  private static func isOfSystem(_ file: String) -> Bool {
    file.hasPrefix("/usr/include/") || file.hasPrefix("/usr/lib/") || file.contains("/include/c++/")
      || file.contains("/swift/stdlib/") || file.hasSuffix("<compiler-generated>")
  }
}
