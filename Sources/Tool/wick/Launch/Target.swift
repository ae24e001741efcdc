import CWickKernel
import Glibc
import WickRecording

/// The program that a command line names, looked at before it is launched: what cannot be preloaded
/// is refused with a reason.
struct Target {
  /// Where the program is.
  var path: String
  /// What is really loaded: the interpreter for a script, else the program.
  var image: String

  /// Finds a program as `execvp` does and checks that the agent can be loaded into it.
  static func find(_ name: String) throws -> Target {
    let path = try locate(name)
    let image = try interpreter(of: path, depth: 0)
    try checkPrivileges(of: image)
    switch ProgramKind(of: image) {
    case .dynamic(let loader):
      try checkLoader(loader, of: image)
      return Target(path: path, image: image)
    case .static:
      throw Failure.noTarget(
        "\(image) is statically linked, so nothing can be preloaded into it; link the WickAgent "
          + "library into it, or build it dynamically")
    case .otherMachine:
      throw Failure.noTarget("\(image) is a program for another kind of machine")
    case .unknown:
      guard unsafe access(image, R_OK) == 0 else {
        throw Failure.noTarget(
          "\(image) may be run but not read, so its kind is not known; make it readable (chmod +r)")
      }
      throw Failure.noTarget("\(image) is neither an ELF program nor a script with '#!'")
    }
  }

  /// The path of a program by the rules of `execvp`.
  static func locate(_ name: String) throws -> String {
    if name.contains("/") {
      try checkExecutable(name)
      return name
    }
    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
    for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
      let candidate = "\(folder.isEmpty ? "." : folder)/\(name)"
      var status = stat()
      if unsafe stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
        unsafe access(candidate, X_OK) == 0
      {
        return candidate
      }
    }
    let here = unsafe access(name, F_OK) == 0
    throw Failure.noTarget(
      "there is no program '\(name)' in PATH" + (here ? "; did you mean './\(name)'?" : ""))
  }

  private static func checkExecutable(_ path: String) throws {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw Failure.noTarget("cannot run \(path): \(Failure.reason(errno))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure.noTarget("cannot run \(path): it is not a file")
    }
    guard unsafe access(path, X_OK) == 0 else {
      throw Failure.noTarget(
        "cannot run \(path): \(Failure.reason(errno)); is it executable (chmod +x)?")
    }
  }

  /// Follows `#!` lines to the program that is loaded.
  ///
  /// The kernel allows four of them.
  private static func interpreter(of path: String, depth: Int) throws -> String {
    guard let file = try? MappedFile(path: path) else { return path }
    var reader = ByteReader(file.bytes)
    guard depth < 5, let mark = try? reader.integer(UInt16.self), mark == 0x2123 else {
      return path
    }
    var line: [UInt8] = []
    while line.count < 255, let byte = try? reader.integer(UInt8.self), byte != 10 {
      line.append(byte)
    }
    let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
    guard let first = words.first.map(String.init) else { return path }
    // '#!/usr/bin/env name': env executes the program of that name.
    if first.hasSuffix("/env"), words.count > 1, !words[1].hasPrefix("-") {
      return try interpreter(of: try locate(String(words[1])), depth: depth + 1)
    }
    guard unsafe access(first, X_OK) == 0 else {
      throw Failure.noTarget("cannot run \(path): its interpreter \(first) is missing")
    }
    return try interpreter(of: first, depth: depth + 1)
  }

  private static func checkLoader(_ loader: String, of image: String) throws {
    guard unsafe access(loader, X_OK) == 0 else {
      throw Failure.noTarget(
        "cannot run \(image): its loader \(loader) is missing; it was built for another system")
    }
    guard !loader.contains("ld-musl") else {
      throw Failure.noTarget(
        "\(image) is linked with musl, and libwick.so needs glibc; build it for glibc")
    }
  }

  /// The loader ignores LD_PRELOAD for programs that run with more rights than their caller.
  private static func checkPrivileges(of path: String) throws {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return }
    let setUser = status.st_mode & S_ISUID != 0 && status.st_uid != geteuid()
    let setGroup = status.st_mode & S_ISGID != 0 && status.st_gid != getegid()
    if setUser || setGroup {
      throw Failure.noTarget(
        "\(path) is set-\(setUser ? "uid" : "gid"), so the system preloads nothing into it; run "
          + "wick as its owner, or profile a copy without that bit")
    }
    if geteuid() != 0, unsafe wick_kernel_has_capabilities(path) {
      throw Failure.noTarget(
        "\(path) has file capabilities, so the system preloads nothing into it; run wick as root, "
          + "or profile a copy without them")
    }
  }
}
