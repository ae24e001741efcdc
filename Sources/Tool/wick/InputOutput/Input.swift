import CWickKernel
import Glibc
import WickFormats
import WickProfile
import WickRecording
import WickSymbols

/// A profile from a file of any kind that is understood.
struct Input {
  /// What was read, as messages and default output names call it; `-` for what has no name.
  var path: String
  var profile: Profile

  /// Reads the file that a subcommand is given: a recording, `perf script` text, folded
  /// text, `-` for standard input, or (nil) the newest recording in the current folder.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - name: What messages call it, if not by its path.
  ///   - naming: How addresses get names.
  ///   - selection: Which stacks count.
  ///   - keepsTypes: Whether stacks of allocations end with the type of their objects.
  /// - Returns: What could be read.
  /// - Throws: `Failure` if that is nothing.
  static func read(
    _ path: String?, name: String? = nil, naming: Naming = Naming(),
    selection: Selection = Selection(), keepsTypes: Bool = false
  ) throws -> Input {
    let path = try path ?? newestRecording()
    let name = name ?? path
    var profile: Profile = try Progress.during("reading \(name)") { _ in
      try load(path, name: name)
    }
    if naming.isWanted, profile.frames.contains(where: { $0.function.isEmpty }) {
      profile = Progress.during("naming functions of \(name)") { say in
        var symbolicator = naming.symbolicator
        symbolicator.willRead = { say("reading symbols of \($0.name)") }
        return symbolicator.symbolicate(profile)
      }
    }
    for warning in profile.origin.warnings { Console.error("\(name): \(warning)") }
    profile = selection.apply(to: profile, name: name)
    if !keepsTypes { profile = profile.withoutObjectTypes }
    return Input(path: isPipe(path) ? "-" : name, profile: profile)
  }

  private static func load(_ path: String, name: String) throws -> Profile {
    if path == "-" { return try parse(ByteSource()) }
    if isPipe(path) { return try parse(ByteSource(path: path, name: name)) }
    let file = try map(path)
    if let profile = try parseUnlessFolded(file.bytes, name: name) { return profile }
    // A file that others may still write to is not to be mapped, and need not be in memory.
    return try parseFolded(ByteSource(path: path, name: name), [])
  }

  /// Whether it is folded text with two numbers a line, after and before.
  var isComparison: Bool { profile.valueTypes.dropFirst().first?.name == "before" }

  /// What was read, in a sentence.
  var description: String { path == "-" ? "standard input" : path }

  /// Whether options chose nothing of what was read.
  var isEmptyExcerpt: Bool { profile.origin.excerpt != nil && profile.samples.isEmpty }

  /// 0, or the code for a recording of which only a part could be read.
  var exitCode: Int32 { profile.origin.isIncomplete ? Failure.Code.damaged : 0 }

  /// `path` with another extension, for default outputs.
  func path(withExtension suffix: String) -> String {
    guard path != "-" else { return "wick.\(suffix)" }
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
      return "\(path).\(suffix)"
    }
    return "\(path.dropLast(name[dot...].count)).\(suffix)"
  }

  private static func map(_ path: String) throws -> MappedFile {
    do {
      return try MappedFile(path: path)
    } catch {
      let reason =
        error.errno == EINVAL ? "it is not a regular file" : Failure.reason(error.errno)
      throw Failure.noTarget("cannot read \(path): \(reason)")
    }
  }

  /// Bytes by which formats are told apart.
  private static let headByteCount = 1 << 16
  /// Bytes of folded text that are read at a time, few enough to stay in the processor's cache.
  private static let partByteCount = 1 << 18

  private static func parse(_ source: consuming ByteSource) throws -> Profile {
    var bytes: [UInt8] = []
    while bytes.count < headByteCount, try source.read(headByteCount, into: &bytes) {}
    let isRecording = unsafe Recording.recognizes(bytes.span.bytes)
    let isPerfScript = unsafe PerfScript.recognizes(bytes.span.bytes)
    if isRecording || isPerfScript || bytes.isEmpty {
      while try source.read(1 << 20, into: &bytes) {}
      if let profile = try unsafe parseUnlessFolded(bytes.span.bytes, name: source.name) {
        return profile
      }
    }
    return try parseFolded(source, bytes)
  }

  /// The profile of a recording or of `perf script` text; nil for other bytes.
  private static func parseUnlessFolded(_ bytes: RawSpan, name: String) throws -> Profile? {
    do {
      return try Recording.profile(of: bytes)
    } catch .empty {
      throw Failure.damaged("\(name) is empty: there is no recording in it")
    } catch .notARecording {
      guard PerfScript.recognizes(bytes) else { return nil }
      return try? PerfScript.read(bytes)
    } catch .cutHeader(let offset) {
      throw Failure.damaged(
        "\(name) ends at byte \(offset), within its header: nothing was recorded")
    } catch .damagedHeader(let offset) {
      throw Failure.damaged(
        "\(name) is damaged: the header at byte \(offset) contradicts its checksum")
    } catch .unsupportedVersion(let version, _) {
      throw Failure.damaged(
        "\(name) has format version \(version), which this wick does not know; take a newer wick")
    }
  }

  /// Reads folded text that begins with `bytes` and goes on in a file or pipe.
  private static func parseFolded(
    _ source: consuming ByteSource, _ bytes: consuming [UInt8]
  ) throws -> Profile {
    let byteCount = source.byteCount
    wick_kernel_prepare_heap(byteCount)
    var reader = FoldedReader(byteCount: byteCount)
    var end = bytes.count
    var isLast = false
    while !isLast {
      // A line that fills all of it needs more.
      let room = max(partByteCount, end == bytes.count ? 2 * end : 0)
      if bytes.count < room {
        bytes.append(contentsOf: repeatElement(0, count: room - bytes.count))
      }
      end = try source.fill(&bytes, from: end)
      isLast = end < bytes.count
      let count = unsafe reader.read(bytes.span.bytes.extracting(0..<end), isLast: isLast)
      for (place, rest) in (count..<end).enumerated() { bytes[place] = bytes[rest] }
      end -= count
    }
    do {
      return try reader.finish()
    } catch {
      throw Failure.damaged(
        "\(source.name) is neither a recording, nor perf script text, nor folded stacks "
          + "(lines like 'main;work 12')")
    }
  }

  /// Whether a path is a pipe, as a shell makes for `<(…)`.
  private static func isPipe(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
  }

  private static func newestRecording() throws -> String {
    var newest: (seconds: Int, nanoseconds: Int, name: String)?
    for name in Folder.names(in: ".") where name.hasSuffix(".wick") {
      var status = stat()
      guard unsafe stat(name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      let time = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec, name)
      if newest.map({ $0 < time }) ?? true { newest = time }
    }
    guard let newest else {
      throw Failure.noTarget(
        "there is no recording in this folder; name a file, or make one: wick record -- COMMAND")
    }
    Console.note("reading \(newest.name)")
    return newest.name
  }
}
