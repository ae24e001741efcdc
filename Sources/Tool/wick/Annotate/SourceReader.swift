import Glibc
import WickProfile
import WickRecording
import WickRender
import WickSymbols

/// Reads sources, and tells whether they are those of the program.
struct SourceReader {
  /// A larger file is no source that anybody wrote.
  private static let byteLimit = 64 << 20

  private let paths: SourcePaths
  private let profile: Profile
  /// When the file of each module was changed last; nil inside where that is not known.
  private var changes: [Int: (path: String, time: timespec)?] = [:]

  init(_ paths: SourcePaths, for profile: Profile) {
    self.paths = paths
    self.profile = profile
  }

  /// Reads a file from the first place that has it.
  ///
  /// - Parameter file: Path as recorded.
  /// - Returns: The text and its place; nil if it is in none.
  func read(_ file: String) -> (path: String, text: SourceText)? {
    guard let path = path(of: file), let mapped = try? MappedFile(path: path) else { return nil }
    return (path, SourceText(Self.copy(mapped.bytes)))
  }

  /// The profile without the frames whose source is not there.
  var sourced: Profile {
    var known: [String: Bool] = [:]
    return profile.replacingFrames { frame in
      guard let file = SourceLine(frame).file else { return [] }
      let isThere = known[file] ?? (path(of: file) != nil)
      known[file] = isThere
      return isThere ? [frame] : []
    }
  }

  /// The first place that has a file; nil if none has.
  func path(of file: String) -> String? {
    paths.candidates(for: file).first { path in
      var status = stat()
      // Opening a pipe or a device could block or do harm, and recordings name what they like.
      return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        && status.st_size <= Self.byteLimit && access(path, R_OK) == 0
    }
  }

  /// The program that is older than a source, if any of those is that its code is in.
  ///
  /// - Parameters:
  ///   - path: Of the source.
  ///   - modules: Indices into `profile.modules`.
  /// - Returns: The program's path; nil where all are newer, or no longer there.
  mutating func program(olderThan path: String, among modules: [Int]) -> String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    let source = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    for index in modules {
      guard let program = change(of: index) else { continue }
      if (program.time.tv_sec, program.time.tv_nsec) < source { return program.path }
    }
    return nil
  }

  private mutating func change(of index: Int) -> (path: String, time: timespec)? {
    if let known = changes[index] { return known }
    let module = profile.modules[index]
    let processes = profile.origin.processes.prefix(16).map(\.pid)
    var status = stat()
    var change: (path: String, time: timespec)?
    if let file = ModuleFile(module, processes: processes), unsafe stat(file.path, &status) == 0 {
      change = (module.path, status.st_mtim)
    }
    changes[index] = .some(change)
    return change
  }

  private static func copy(_ bytes: RawSpan) -> [UInt8] {
    unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }
}
